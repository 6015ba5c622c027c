import { chmodSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, vi } from "vitest";
import { first, onDigest, startOddRegistry } from "../support/odd-registry.js";
import { neverEnough } from "../support/registry/authentication.js";
import { paced } from "../support/registry/oddities.js";
import { servedImage } from "../support/registry/registry-content.js";
import { layeredImage } from "./support/layered-image.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { siteOfFile } from "./support/slurm/site.js";

const test = testNeeding(slurmNeeds);

const { site } = siteOfFile({ afterAll, prolog: ["docker://127.0.0.1:*/odd/image:shared"] });

const sayRootfs = 'echo "$(cat "$STAGE_ROOTFS_ROOTFS/etc/release"): $1 $STAGE_ROOTFS_ROOTFS"';

/** A good image that all nodes see. */
async function goodImage(): Promise<string> {
  const path = join((await site()).shared, "image.tar");
  if (!existsSync(path)) layeredImage(path);
  chmodSync(path, 0o644);
  return path;
}

describe("with the generated prologs, a job", () => {
  test("whose comment names an image finds it, in the batch script and in steps", async () => {
    const { batch, local } = await site();
    const state = `head -n 2 '${local}'/state/$SLURM_JOB_ID | tr '\\n' ' '`;
    const script = `${state}; set -- batch; ${sayRootfs}\nsrun sh -c '${sayRootfs}' sh step\n`;
    const { output, exitCode } = await batch(script, {
      args: ["-N2", `--comment=project=x,stage-rootfs=${await goodImage()},urgent`],
    });
    const place = `${local}/cache-users/23456/v1/rootfs/\\S+/rootfs`;
    const told = (who: string) => `layer 3: ${who} ${place}\n`;
    expect(output).toMatch(new RegExp(`^ready 0 ${told("batch")}${told("step")}${told("step")}$`));
    expect(exitCode).toBe(0);
  });

  test("whose environment names an image finds that, and not the comment's", async () => {
    const { run } = await site();
    const image = await goodImage();
    const command = 'cat "$STAGE_ROOTFS_ROOTFS/etc/release"; echo "$STAGE_ROOTFS_IMAGE"';
    const comment = "--comment=stage-rootfs=/missing.tar";
    expect(
      await run(["srun", comment, "-w", "n3", "sh", "-c", command], {
        env: { STAGE_ROOTFS_IMAGE: image },
        as: "another",
      }),
    ).toMatchObject({ stdout: `layer 3\n${image}\n`, exitCode: 0 });
  });

  test("that names none is left alone", async () => {
    const { batch } = await site();
    const job = await batch("env | grep STAGE_ROOTFS_ROOTFS || echo none", {
      args: ["--comment=stage-rootfs"],
    });
    expect(job).toMatchObject({ output: "none\n", exitCode: 0 });
  });

  test("of a relative path has it looked up where the job starts", async () => {
    const { run, shared } = await site();
    await goodImage();
    const argv = ["srun", `--chdir=${shared}`, "--comment=stage-rootfs=image.tar"] as const;
    expect(await run([...argv, "sh", "-c", sayRootfs])).toMatchObject({
      stdout: expect.stringMatching(/^layer 3: /),
      exitCode: 0,
    });
  });
});

describe("a user's mistake", () => {
  const mistakes = [
    ["no image", "/missing.tar", 66, /no such file or directory: \/missing\.tar/],
    ["a damaged image", "SHARED/damaged.tar", 65, /damaged\.tar/],
    ["a name that is none", "docker://-x", 2, /./],
    ["a word that is a command", "gc", 66, /no such file or directory: \.\/gc/],
  ] as const;

  test.for(mistakes)("%s: the job fails with the reason, and no node drains", async (row) => {
    const [, image, status, reason] = row;
    const { run, shared, stateOf } = await site();
    writeFileSync(join(shared, "damaged.tar"), Buffer.alloc(20_000, "damage"));
    const comment = `--comment=stage-rootfs=${image.replace("SHARED", shared)}`;
    const { stdout, exitCode } = await run(["srun", "-n2", "-w", "n1", comment, "echo", "ran"]);
    expect(stdout).toMatch(/^stage-rootfs: [^\n]*\n$/);
    expect(stdout).toMatch(reason);
    expect(exitCode).toBe(status);
    expect(await stateOf("n1")).not.toMatch(/drain/);
  });

  test("a batch job fails likewise", async () => {
    const { batch, stateOf } = await site();
    const args = ["-w", "n1", "--comment=stage-rootfs=/missing.tar"];
    const { output, exitCode } = await batch("echo the job ran", { args });
    expect(output).toMatch(/^stage-rootfs: no such file or directory: \/missing\.tar/);
    expect(output).not.toContain("the job ran");
    expect(exitCode).toBe(66);
    expect(await stateOf("n1")).not.toMatch(/drain/);
  });

  test("no login: likewise", async () => {
    const registry = await startOddRegistry([neverEnough()]);
    const { run, stateOf } = await site();
    const comment = `--comment=stage-rootfs=${registry.reference()}`;
    const { stdout, exitCode } = await run(["srun", "-w", "n1", comment, "echo", "ran"]);
    expect(stdout).toMatch(/^stage-rootfs: [^\n]*(?:login|log in|authentic|401)[^\n]*\n$/i);
    expect(exitCode).toBe(77);
    expect(await stateOf("n1")).not.toMatch(/drain/);
  });

  test("a cache of the user's own that can't be trusted: likewise", async () => {
    const { run, stateOf, cacheOf } = await site();
    const comment = `--comment=stage-rootfs=${await goodImage()}`;
    const job = async () => await run(["srun", "-w", "n1", comment, "echo", "ran"]);
    expect(await job()).toMatchObject({ stdout: "ran\n" });
    const own = cacheOf("n1", "ordinary");
    expect(statSync(own).uid).toBe(23456);
    chmodSync(own, 0o777);
    const { stdout, exitCode } = await job();
    chmodSync(own, 0o700);
    expect(stdout).toMatch(/^stage-rootfs: .*can be written to by/);
    expect(exitCode).toBe(77);
    expect(await stateOf("n1")).not.toMatch(/drain/);
  });

  test("comments that would have a shell or the program do something do nothing", async () => {
    const { run, shared, stateOf, statesOn, settled } = await site();
    const touched = join(shared, "touched");
    const touch = `touch ${touched}`;
    const hostile = [
      `$(${touch})`,
      `\`${touch}\``,
      `';${touch};'`,
      `";${touch};"`,
      `x\n${touch}\n`,
      `x;${touch}`,
      "--help",
      "--version",
      "-",
      "*",
      `/etc/passwd`,
      `/../../etc/shadow`,
      "nix:/bin/touch",
      "%s%n\\n\\0",
      "release",
      `${"x".repeat(900)}`,
      `\u001b[31m$'\\x41'`,
      `IFS=${touched}`,
      "docker://127.0.0.1:1/odd/image:shared/../x",
    ];
    const answers = await Promise.all(
      hostile.map(async (image, i) => {
        const where = ["-w", `n${(i % 4) + 1}`, `--comment=stage-rootfs=${image}`];
        return { image, ...(await run(["srun", ...where, "echo", "ran"])) };
      }),
    );
    for (const { image, stdout, exitCode } of answers) {
      expect([image, stdout, exitCode]).toEqual([
        image,
        expect.stringMatching(/^stage-rootfs: [^\n]*\n$/),
        expect.toSatisfy((status: number) => status > 0 && status < 128),
      ]);
    }
    expect(existsSync(touched)).toBe(false);
    await settled();
    for (const node of ["n1", "n2", "n3", "n4"]) {
      expect([await stateOf(node), statesOn(node)]).toEqual(["idle", []]);
    }
  });
});

describe("an image that takes longer than a job may wait", () => {
  test("is finished by the job, from the layers that are there", async () => {
    const image = servedImage();
    const [base, large] = image.layers;
    const slow = onDigest(large?.digest ?? "", first(1, paced(1000, 500)));
    const registry = await startOddRegistry([slow], { content: image });
    const { batch, change, local } = await site();
    change("prolog", (script) => script.replace(/^DEADLINE=.*$/m, "DEADLINE=2"));
    const state = `head -n 1 '${local}'/state/$SLURM_JOB_ID`;
    const { output, exitCode } = await batch(`${state}; cat "$STAGE_ROOTFS_ROOTFS/etc/base"`, {
      args: ["-w", "n2", `--comment=stage-rootfs=${registry.reference()}`],
    });
    change("prolog");
    expect({ output, exitCode }).toEqual({ output: "again\nthe base\n", exitCode: 0 });
    expect(
      registry.seen("layer").filter(({ reference }) => reference === base?.digest),
    ).toHaveLength(1);
  });
});

describe("an image on the administrator's list", () => {
  test("is staged by root once, for all users", async () => {
    const image = servedImage();
    const latest = image.tags["latest"];
    if (!latest) throw new Error("the image has no tag");
    const content = { ...image, tags: { shared: latest } };
    const registry = await startOddRegistry([], { content });
    const { batch, cacheOf, leasesOn, settled, local } = await site();
    const args = ["-w", "n4", `--comment=stage-rootfs=${registry.reference("shared")}`];
    const script = 'echo "$STAGE_ROOTFS_ROOTFS"; cat "$STAGE_ROOTFS_ROOTFS/etc/base"';
    for (const as of ["ordinary", "another"] as const) {
      const { output, exitCode } = await batch(script, { args, as });
      expect(output).toMatch(new RegExp(`^${local}/cache/v1/rootfs/.*\nthe base\n$`));
      expect(exitCode).toBe(0);
    }
    const blobs = registry.seen("layer").map(({ reference }) => reference);
    expect(blobs.length).toBe(new Set(blobs).size);
    expect(statSync(cacheOf("n4", "all")).uid).toBe(0);
    await settled();
    expect(leasesOn("n4")).toEqual([]);
  });
});

describe("a broken node", () => {
  const faults = [
    [
      "a disk that is read-only",
      (local: string) => `mount -t tmpfs -o ro,mode=755 none ${local}/cache-users`,
      /stage-rootfs: cannot write to the cache \S+: the file system is read-only/,
    ],
    [
      "a disk that is full",
      (local: string) =>
        `mount -t tmpfs -o size=1m,mode=755 none ${local}/cache-users; head -c 2m /dev/zero >${local}/cache-users/x`,
      /stage-rootfs: the disk of \S+ is full: 0 MiB are left/,
    ],
    [
      "a place that somebody else prepared",
      (local: string) =>
        `mkdir -p ${local}/evil; chown 23456 ${local}/evil; mount --bind ${local}/evil ${local}/cache-users`,
      /stage-rootfs: \S+cache-users has to be a directory that only root can write to/,
    ],
    [
      "a program that is gone",
      (local: string) =>
        `mkdir -p ${local}/cache-users; mount -t tmpfs -o mode=755 none ${local}/cache-users`,
      /stage-rootfs: the program is missing: \/missing\/program/,
      (script: string) => script.replace(/^STAGE_ROOTFS=.*$/m, "STAGE_ROOTFS=/missing/program"),
    ],
  ] as const;

  test.for(faults)("%s drains, and says why", async ([, fault, reason, changed]) => {
    const { run, onNode, local, shared, stateOf, change } = await site();
    const root = { as: "root" } as const;
    expect(await onNode("n3", `mkdir -p ${local}/cache-users; ${fault(local)}`)).toMatchObject({
      stderr: expect.not.stringContaining("mount"),
    });
    change("prolog", changed);
    const out = join(shared, "never");
    const comment = `--comment=stage-rootfs=${await goodImage()}`;
    const { stdout } = await run([
      "sbatch",
      "--parsable",
      "-w",
      "n3",
      comment,
      `--output=${out}`,
      "--wrap=echo ran",
    ]);
    try {
      const soon = { timeout: 20_000, interval: 100 };
      await vi.waitFor(async () => expect(await stateOf("n3")).toMatch(/drain/), soon);
      const { stdout: why } = await run(["sinfo", "-h", "-n", "n3", "-o", "%E"]);
      expect(why).toMatch(reason);
      // Slurm takes it back from the node, and then holds it.
      await vi.waitFor(async () => {
        const { stdout: job } = await run(["squeue", "-h", "-j", stdout.trim(), "-o", "%T %r"]);
        expect(job).toMatch(/^PENDING .*held/);
      }, soon);
      expect(existsSync(out)).toBe(false);
    } finally {
      await run(["scancel", stdout.trim()]);
      change("prolog");
      await run(["scontrol", "update", "nodename=n3", "state=resume"], root);
    }
    expect(await onNode("n3", `umount ${local}/cache-users`)).toMatchObject({ exitCode: 0 });
    expect(await run(["srun", "-w", "n3", comment, "echo", "ran"])).toMatchObject({
      stdout: "ran\n",
    });
  });
});
