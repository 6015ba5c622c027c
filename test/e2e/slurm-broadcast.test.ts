import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, describe, expect, onTestFinished } from "vitest";
import { blobsGot } from "./support/access-log.js";
import { stageRootfsArgv } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { type Registry, registryNeeds, startRegistry } from "./support/registry.js";
import { sizedImage } from "./support/sized-image.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";

const test = testNeeding([...slurmNeeds, ...registryNeeds, "skopeo"]);

const { settledCluster } = clusterOfFile({ afterAll });

/** The config and two layers. */
const blobCount = 3;

/** A registry, and what warms the cluster's nodes, whose caches are empty, with its images. */
async function prepared() {
  const slurm = await settledCluster();
  const { local, localOf, nodes, shared, stageRootfs } = slurm;
  for (const place of [local, shared, ...nodes.map(localOf)]) {
    for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true });
  }
  const storage = makeScratchDir("registry-storage", { mode: 0o755 });
  onTestFinished(() => rmSync(storage, { recursive: true, force: true }));
  const registry = await startRegistry({ storage, readOnly: false });
  const cacheDir = join(local, "cache");
  const warmArgs = (...args: readonly string[]) => {
    return ["warm", "--slurm", "--cache-dir", cacheDir, ...args];
  };
  return {
    ...slurm,
    registry,
    cacheDir,
    warmArgs,
    warm: async (...args: readonly string[]) => await stageRootfs(warmArgs(...args)),
    push: async (name: string) => await push(registry, name),
    cacheOf: (node: string) => join(localOf(node), "cache"),
  };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

async function push({ host }: Registry, name: string): Promise<string> {
  const layout = sizedImage([
    { files: 4, size: 500_000 },
    { files: 20, size: 1000 },
  ]);
  const target = `docker://${host}/${name}`;
  const insecure = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
  await execa("skopeo", [...insecure, `oci:${layout}`, target]);
  return target;
}

/** What a cache has under way, or what was left there; locks may have spares. */
function leftIn(cache: string): readonly string[] {
  const names = ["tmp", "blobs", "locks"].flatMap((name) => readdirSync(join(cache, "v1", name)));
  return names.filter((name) => !name.startsWith("spare-"));
}

function expectNothingLeft({ nodes, cacheOf, cacheDir }: Prepared): void {
  for (const cache of [cacheDir, ...nodes.map(cacheOf)]) expect(leftIn(cache)).toEqual([]);
}

/** A PATH with a program called sbcast that does something around the real one, as `"$@"`. */
function sbcastThat({ directory }: Prepared, script: string): Readonly<Record<string, string>> {
  const bin = join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
  const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const path = join(bin, "sbcast");
  writeFileSync(path, `#!/bin/sh\nreal() { PATH=${usual} command sbcast "$@"; }\n${script}\n`);
  chmodSync(path, 0o755);
  return { PATH: `${bin}:${usual}` };
}

describe("one read of the registry", () => {
  test("warms four nodes, which then know the image by its name", async () => {
    const all = await prepared();
    const { warm, registry, nodes, run, cacheDir } = all;
    const images = [await all.push("team/app:1"), await all.push("team/other:2")];
    const asked = await registry.requestsDuring(async () => {
      const result = await warm("--via", "sbcast", "--nodes", "n[1-4]", ...images);
      expect(result).toMatchObject({ exitCode: 0, stdout: "staged   n[1-4]\n" });
    });
    expect(blobsGot(asked)).toHaveLength(2 * blobCount);
    expectNothingLeft(all);
    const cache = ["--cache-dir", cacheDir];
    const onAll = async (...args: readonly string[]) => {
      const argv = stageRootfsArgv([...args, ...cache]);
      const { stdout } = await run(["srun", "-N4", "--ntasks-per-node=1", ...argv]);
      return stdout.trim().split("\n");
    };
    const later = await registry.requestsDuring(async () => {
      for (const image of images) {
        const found = await onAll(image, "--offline");
        expect(found).toEqual(nodes.map(() => expect.stringMatching(/^\/.*\/rootfs$/)));
      }
      const { stdout } = await run([
        "srun",
        "-w",
        "n3",
        ...stageRootfsArgv(["ls", "--json", ...cache]),
      ]);
      const sources = JSON.parse(stdout).entries.map((entry: { source: { reference: string } }) => {
        return entry.source.reference;
      });
      expect(sources.sort()).toEqual(images);
    });
    expect(later).toEqual([]);
    const again = await registry.requestsDuring(async () => {
      const result = await warm("--via", "sbcast", "--nodes", "n[1-4]", ...images);
      expect(result).toMatchObject({ exitCode: 0, stdout: "warm     n[1-4]\n" });
    });
    expect(blobsGot(again)).toHaveLength(images.length);
  });

  test("is for nodes that lack the image, and for what a tag has become", async () => {
    const all = await prepared();
    const { warm, registry, nodes, cacheOf, run, warmArgs } = all;
    const image = await all.push("team/app:1");
    expect(await warm("--nodes", "n2", image)).toMatchObject({ exitCode: 0 });
    const first = await warm("--via", "sbcast", "--partition", "compute", image);
    expect(first.stdout).toBe("warm     n2\nstaged   n[1,3-4]\n");
    await push(registry, "team/app:1");
    const inJob = stageRootfsArgv(warmArgs("--via", "sbcast", image));
    const asked = await registry.requestsDuring(async () => {
      const result = await run(["salloc", "-Q", "-w", "n[1-3]", ...inJob]);
      expect(result).toMatchObject({ exitCode: 0, stdout: "staged   n[1-3]\n" });
    });
    // The new config is read once for comparing it and once for packing it.
    expect(blobsGot(asked)).toHaveLength(blobCount + 1);
    const counts = nodes.map((node) => readdirSync(join(cacheOf(node), "v1/rootfs")).length);
    expect(counts).toEqual([2, 2, 2, 1]);
    expectNothingLeft(all);
  });

  test("is by way of a directory that all nodes see", async () => {
    const all = await prepared();
    const { warm, registry, shared } = all;
    const image = await all.push("team/app:1");
    const via = ["--via", "shared", "--share", join(shared, "packs")];
    const asked = await registry.requestsDuring(async () => {
      const some = await warm(...via, "--nodes", "n[1-2]", image);
      expect(some).toMatchObject({ exitCode: 0, stdout: "staged   n[1-2]\n" });
      const others = await warm(...via, "--nodes", "n[3-4]", image);
      expect(others).toMatchObject({ exitCode: 0, stdout: "staged   n[3-4]\n" });
    });
    expect(blobsGot(asked)).toHaveLength(blobCount);
    expect(readdirSync(join(shared, "packs"))).toHaveLength(1);
    expectNothingLeft(all);
  });

  test("is not repeated by nodes for an image that can't be had", async () => {
    const all = await prepared();
    const { warm, registry } = all;
    const image = await all.push("team/app:1");
    const missing = `${image}-missing`;
    const asked = await registry.requestsDuring(async () => {
      const result = await warm("--via", "sbcast", "--nodes", "n[1-4]", missing, image);
      expect(result).toMatchObject({ exitCode: 1, stdout: "partial  n[1-4]\n" });
      expect(result.stderr).toMatch(/n\[1-4\]: .*does not have the tag 1-missing/);
    });
    expect(asked.filter(({ url }) => url.includes("1-missing")).length).toBeLessThanOrEqual(2);
    expectNothingLeft(all);
  });
});

describe("a node that does not get what was sent", () => {
  test("as it was sent sees that, and reads the registry itself", async () => {
    const all = await prepared();
    const { registry, stageRootfs, warmArgs, localOf } = all;
    const image = await all.push("team/app:1");
    const packs = `${localOf("n2")}/cache/v1/tmp/sbcast-*/*.tar`;
    const flip = `printf X | dd of="$file" bs=1 seek=1500000 conv=notrunc 2>/dev/null`;
    const env = sbcastThat(all, `real "$@" || exit; for file in ${packs}; do ${flip}; done`);
    const asked = await registry.requestsDuring(async () => {
      const args = warmArgs("--via", "sbcast", "--nodes", "n[1-4]", "--json", image);
      const { stdout, exitCode } = await stageRootfs(args, { env });
      expect(exitCode).toBe(0);
      const events = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const again = events.filter(({ type, state }) => type === "step" && state === "retrying");
      expect(again).toMatchObject([
        { node: "n2", error: { code: expect.stringMatching(/DIGEST_MISMATCH|IMAGE_INVALID/) } },
      ]);
    });
    // A layer that it finished before stays.
    const more = blobsGot(asked).length - blobCount;
    expect(more).toBeGreaterThanOrEqual(blobCount - 1);
    expect(more).toBeLessThanOrEqual(blobCount);
    expectNothingLeft(all);
  });

  test("at all reads the registry itself, and the others get it anew", async () => {
    const all = await prepared();
    const { registry, stageRootfs, warmArgs, localOf } = all;
    const image = await all.push("team/app:1");
    const place = `${localOf("n3")}/cache/v1/tmp/sbcast-*`;
    const once = `[ -e "$0.done" ] || { touch "$0.done"; rm -rf ${place}; }`;
    const env = sbcastThat(all, `${once}\nreal "$@"`);
    chmodSync(join(all.directory, "bin"), 0o777);
    const asked = await registry.requestsDuring(async () => {
      const args = warmArgs("--via", "sbcast", "--nodes", "n[1-4]", image);
      expect(await stageRootfs(args, { env })).toMatchObject({ exitCode: 0 });
    });
    expect(blobsGot(asked)).toHaveLength(2 * blobCount);
    expectNothingLeft(all);
  });

  test("because it is down is reported, and the others are warmed", async () => {
    const all = await prepared();
    const { warm, run, stateOf } = all;
    const image = await all.push("team/app:1");
    const setState = async (...words: readonly string[]) => {
      await run(["scontrol", "update", "NodeName=n4", ...words], { as: "root" });
    };
    await setState("State=DOWN", "Reason=fan");
    const result = await warm("--via", "sbcast", "--nodes", "n[1-4]", image);
    expect(result).toMatchObject({ exitCode: 1, stdout: "staged   n[1-3]\nfailed   n4\n" });
    expect(result.stderr).toContain("n4: the node is down: fan");
    await setState("State=RESUME");
    while ((await stateOf("n4")) !== "idle") await sleep(100);
  });
});

test("a host that can't pack says so of itself, and the nodes read the registry", async () => {
  const all = await prepared();
  const image = await all.push("team/app:1");
  // It is root's here, and not yet there on the nodes.
  mkdirSync(all.cacheDir, { mode: 0o755 });
  const result = await all.warm("--via", "sbcast", "--nodes", "n1", image);
  expect(result).toMatchObject({ exitCode: 0, stdout: "staged   n1\n" });
  expect(result.stderr).toMatch(/n1: this host can't pack it: .*cache.*; it is tried again/);
});

describe("a broadcast that is stopped", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s leaves nothing on the nodes",
    async (signal) => {
      const all = await prepared();
      const { stageRootfs, warmArgs, nodes, cacheOf, settled, directory } = all;
      const image = await all.push("team/app:1");
      const env = sbcastThat(all, `real "$@"; touch ${directory}/bin/sent; exec sleep 30`);
      chmodSync(join(directory, "bin"), 0o777);
      const args = warmArgs("--via", "sbcast", "--nodes", "n[1-4]", image);
      const { exitCode } = await stageRootfs(args, {
        env,
        killWhen: { condition: () => readdirSync(join(directory, "bin")).includes("sent"), signal },
      });
      expect(exitCode).not.toBe(0);
      await settled();
      for (const node of nodes) expect(leftIn(cacheOf(node))).toEqual([]);
      if (signal === "SIGTERM") expectNothingLeft(all);
    },
  );
});
