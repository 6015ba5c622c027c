import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, onTestFinished } from "vitest";
import { blobsGot, inShort, manifestRequests } from "./support/access-log.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { debianImage } from "./support/debian-image.js";
import { debianRegistryNeeds, debianStorage, debianTags } from "./support/debian-registry.js";
import { asStaged } from "./support/expected-tree.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { type Registry, type RegistryOptions, startRegistry } from "./support/registry.js";
import { settingsFile } from "./support/settings-file.js";
import { contents, leftovers, type Staged, stage } from "./support/staged.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";
import type { UserKind } from "./support/users.js";

const registryTest = testNeeding(debianRegistryNeeds);

/** A registry with {@link debianTags}, for the running test. */
async function debianRegistry(
  options: Pick<RegistryOptions, "tls" | "login"> = {},
): Promise<Registry> {
  return await startRegistry({ storage: await debianStorage(), readOnly: true, ...options });
}

/** What stages an image of a registry into a new cache. */
function argsFor({ host }: Registry, image: string = debianTags.latest) {
  const cacheDir = freshCacheDir("ordinary");
  return { cacheDir, args: ["--cache-dir", cacheDir, `docker://${host}/${image}`] };
}

/** The same image by what it is. */
function byDigest({ host }: Registry, { manifestDigest }: Staged): string {
  return `docker://${host}/${debianTags.latest.replace(/:.*/, "")}@${manifestDigest}`;
}

async function differences(staged: Staged, kind: UserKind = "ordinary"): Promise<string[]> {
  const { faithfulTree } = await debianImage();
  const made = staged.mountPoints.filter(({ created }) => created).map(({ path }) => path.slice(1));
  return diffTrees(asStaged(faithfulTree(), kind), describeTree(staged.rootfs), {
    names: ["umoci's tree", "ours"],
    ignorePaths: (path) => made.includes(path),
  });
}

function isRepeated(digests: readonly string[]): boolean {
  return new Set(digests).size < digests.length;
}

describe.each(["ordinary", "root"] as const)("as %s user", (kind) => {
  registryTest(
    "the tree is the one that umoci unpacks, the entry that of the archive",
    async () => {
      const registry = await debianRegistry();
      const { forms, imageId } = await debianImage();
      const cacheDir = freshCacheDir(kind);
      const reference = `docker://${registry.host}/${debianTags.latest}`;
      const staged = await stage(["--cache-dir", cacheDir, reference], { as: kind });
      expect(staged).toMatchObject({ imageId, hit: false });
      expect(await differences(staged, kind)).toEqual([]);
      expect(leftovers(cacheDir)).toEqual([]);
      const archived = await stage(["--cache-dir", cacheDir, forms.ociArchive], { as: kind });
      expect(archived).toMatchObject({ hit: true, key: staged.key, rootfs: staged.rootfs });
    },
  );
});

describe("what is asked for", () => {
  registryTest("on a cold node: the manifest, the config and each layer once", async () => {
    const registry = await debianRegistry();
    const { args } = argsFor(registry);
    let staged: Staged | undefined;
    const requests = await registry.requestsDuring(async () => {
      staged = await stage(args);
    });
    const blobs = blobsGot(requests);
    expect(isRepeated(blobs)).toBe(false);
    expect(blobs).toHaveLength(new Set(staged?.layers.map(({ diffId }) => diffId)).size + 1);
    expect(manifestRequests(requests).length).toBeLessThanOrEqual(2);
    expect(requests.filter(({ status }) => status >= 400)).toEqual([]);
  });

  registryTest("of an image in the cache: by tag one HEAD, by digest nothing", async () => {
    const registry = await debianRegistry();
    const { cacheDir, args } = argsFor(registry);
    const first = await stage(args);
    const again = async (...words: string[]) => {
      const requests = await registry.requestsDuring(async () => {
        const hit = await stage(["--cache-dir", cacheDir, ...words]);
        expect(hit).toMatchObject({ hit: true, rootfs: first.rootfs });
      });
      return inShort(requests);
    };
    const tagged = `docker://${registry.host}/${debianTags.latest}`;
    const digested = byDigest(registry, first);
    expect(await again(tagged)).toEqual(["HEAD manifests latest"]);
    expect(await again("--offline", tagged)).toEqual([]);
    expect(await again("--max-staleness", "3600", tagged)).toEqual([]);
    expect(await again("--max-staleness", "0", tagged)).toEqual(["HEAD manifests latest"]);
    expect(await again(digested)).toEqual([]);
    expect(await again(digested)).toEqual([]);
    expect(await again("--offline", digested)).toEqual([]);
    await registry.stop();
    expect(await stage(["--cache-dir", cacheDir, digested])).toMatchObject({ hit: true });
    expect(await stage(["--offline", ...args])).toMatchObject({ hit: true });
  });

  registryTest("of an image that shares layers with others: what is missing", async () => {
    const registry = await debianRegistry();
    const { cacheDir, args } = argsFor(registry);
    const first = await stage(args);
    const staged = async (image: string) => {
      const results: Staged[] = [];
      const requests = await registry.requestsDuring(async () => {
        results.push(await stage(["--cache-dir", cacheDir, `docker://${registry.host}/${image}`]));
      });
      const [result] = results;
      const configs = new Set(results.map(({ imageId }) => imageId));
      return { result, layers: blobsGot(requests).filter((digest) => !configs.has(digest)) };
    };
    const more = await staged(debianTags.more);
    expect(more.layers).toHaveLength(1);
    expect(more.result?.layers.filter(({ reused }) => !reused)).toHaveLength(1);
    const docker = await staged(debianTags.docker);
    expect(docker.layers).toEqual([]);
    expect(docker.result?.layers.map(({ diffId }) => diffId)).toEqual(
      first.layers.map(({ diffId }) => diffId),
    );
    const zstd = await staged(debianTags.zstd);
    expect(zstd.layers).toEqual([]);
    expect(zstd.result).toMatchObject({ hit: true, rootfs: first.rootfs });
  });

  registryTest("by twenty processes at once on a cold node: each blob once", async () => {
    const registry = await debianRegistry();
    const { cacheDir, args } = argsFor(registry);
    let all: Staged[] = [];
    const requests = await registry.requestsDuring(async () => {
      all = await Promise.all(Array.from({ length: 20 }, () => stage(args)));
    });
    expect(new Set(all.map(({ rootfs }) => rootfs)).size).toBe(1);
    expect(all.filter(({ hit }) => !hit)).toHaveLength(1);
    const layers = blobsGot(requests).filter((digest) => digest !== all[0]?.imageId);
    expect(isRepeated(layers)).toBe(false);
    expect(leftovers(cacheDir)).toEqual([]);
    for (const staged of all.slice(0, 1)) expect(await differences(staged)).toEqual([]);
  });

  registryTest("by inspect: no layer, and nothing is staged", async () => {
    const registry = await debianRegistry();
    const { cacheDir, args } = argsFor(registry);
    const { imageId, diffIds } = await debianImage();
    let stdout = "";
    const requests = await registry.requestsDuring(async () => {
      const run = await stageRootfs(["inspect", ...args]);
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      stdout = run.stdout;
    });
    const shown = JSON.stringify(JSON.parse(stdout));
    for (const digest of [imageId, ...diffIds]) expect(shown).toContain(digest);
    expect(blobsGot(requests).filter((digest) => digest !== imageId)).toEqual([]);
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
    expect(leftovers(cacheDir)).toEqual([]);
  });

  registryTest("with zstd layers and with a manifest of Docker's: the same tree", async () => {
    const registry = await debianRegistry();
    for (const image of [debianTags.zstd, debianTags.docker]) {
      const staged = await stage(argsFor(registry, image).args);
      expect(staged.hit).toBe(false);
      expect(await differences(staged)).toEqual([]);
    }
  });
});

describe("a cache", () => {
  const rootTest = testNeeding(["root", ...debianRegistryNeeds]);

  rootTest("that is read-only gives hits, by tag and by digest", async () => {
    const registry = await debianRegistry();
    const { cacheDir, args } = argsFor(registry, debianTags.more);
    const first = await stage(args);
    await execa("mount", ["--bind", cacheDir, cacheDir]);
    onTestFinished(async () => {
      await execa("umount", [cacheDir]);
    });
    await execa("mount", ["-o", "remount,bind,ro", cacheDir]);
    const digested = `docker://${registry.host}/test/more@${first.manifestDigest}`;
    for (const words of [args, ["--cache-dir", cacheDir, digested], ["--offline", ...args]]) {
      const hit = { stdout: `${first.rootfs}\n`, stderr: "", exitCode: 0 };
      expect(await stageRootfs(words)).toMatchObject(hit);
    }
    const other = ["--cache-dir", cacheDir, `docker://${registry.host}/${debianTags.docker}`];
    const more = await stageRootfs(other);
    expect(more).toMatchObject({ stdout: "", exitCode: 73 });
    expect(more.stderr).toMatch(/^stage-rootfs: [^\n]*the file system is read-only[^\n]*\n$/);
  });

  rootTest("without room for the image says so, with 73", async () => {
    const registry = await debianRegistry();
    const mountPoint = makeScratchDir("full", { mode: 0o755 });
    const options = "size=20m,mode=1777";
    await execa("mount", ["-t", "tmpfs", "-o", options, "tmpfs", mountPoint]);
    onTestFinished(async () => {
      await execa("umount", [mountPoint]);
      rmSync(mountPoint, { recursive: true });
    });
    const cacheDir = join(mountPoint, "cache");
    const image = `docker://${registry.host}/${debianTags.latest}`;
    const run = await stageRootfs(["--cache-dir", cacheDir, image]);
    expect(run).toMatchObject({ stdout: "", exitCode: 73 });
    expect(run.stderr).toMatch(/no space, or no inode, left|no room for /);
    expect(contents(cacheDir).entries).toEqual([]);
  });
});

describe("what is not there", () => {
  registryTest("is named, with 66", async () => {
    const registry = await debianRegistry();
    const digest = `sha256:${"0".repeat(64)}`;
    for (const image of ["test/debian:none", "test/none:latest", `test/debian@${digest}`]) {
      const { cacheDir, args } = argsFor(registry, image);
      const run = await stageRootfs(args);
      expect(run).toMatchObject({ stdout: "", exitCode: 66 });
      expect(run.stderr).toMatch(/^stage-rootfs: [^\n]+\n$/);
      expect(run.stderr).toContain(image);
      expect(leftovers(cacheDir)).toEqual([]);
    }
  });

  registryTest("with --offline: what nobody staged is 66, and nothing is asked for", async () => {
    const registry = await debianRegistry();
    const { args } = argsFor(registry);
    const requests = await registry.requestsDuring(async () => {
      const run = await stageRootfs(["--offline", ...args]);
      expect(run).toMatchObject({ stdout: "", exitCode: 66 });
      expect(run.stderr).toMatch(/^stage-rootfs: [^\n]*--offline[^\n]*\n$/);
      expect(run.stderr).toContain(debianTags.latest);
    });
    expect(requests).toEqual([]);
  });

  registryTest("a registry that does not run is 69", async () => {
    const registry = await debianRegistry();
    await registry.stop();
    const run = await stageRootfs(argsFor(registry).args, { timeoutMs: 60_000 });
    expect(run).toMatchObject({ stdout: "", exitCode: 69 });
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]+\n$/);
    expect(run.stderr).toContain(registry.host);
  });
});

describe("a certificate of an own authority", () => {
  registryTest("is accepted with --cert-dir or --insecure-registry", async () => {
    const registry = await debianRegistry({ tls: true });
    const { args } = argsFor(registry, debianTags.more);
    const certDir = registry.certificates?.certDir ?? "";
    expect(await stage(["--cert-dir", certDir, ...args])).toMatchObject({ hit: false });
    const unchecked = ["--insecure-registry", registry.host];
    expect(await stage([...unchecked, ...args])).toMatchObject({ hit: true });
  });

  registryTest("is refused otherwise, with 69 and a hint", async () => {
    const registry = await debianRegistry({ tls: true });
    for (const options of [[], ["--insecure-registry", "127.0.0.1:1"]]) {
      const { args } = argsFor(registry);
      const run = await stageRootfs([...options, ...args], { timeoutMs: 60_000 });
      expect(run).toMatchObject({ stdout: "", exitCode: 69 });
      expect(run.stderr).toMatch(/^stage-rootfs: [^\n]*certificate[^\n]*--cert-dir[^\n]*\n$/);
    }
  });

  registryTest("that is no certificate is 78", async () => {
    const registry = await debianRegistry({ tls: true });
    const file = settingsFile("ca.crt", "-----BEGIN CERTIFICATE-----\nnone\n");
    const { args } = argsFor(registry);
    const run = await stageRootfs(["--cert-dir", join(file, ".."), ...args]);
    expect(run).toMatchObject({ stdout: "", exitCode: 78 });
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]*ca\.crt[^\n]*\n$/);
  });
});

describe("a registry that wants a password", () => {
  const login = { user: "somebody", password: "pass-7f2e-word" };

  registryTest("lets in who logged in with skopeo", async () => {
    const registry = await debianRegistry({ tls: true, login });
    const certDir = registry.certificates?.certDir ?? "";
    const authfile = settingsFile("auth.json", "{}");
    await execa(
      "skopeo",
      [
        ...["login", "--authfile", authfile, "--cert-dir", certDir],
        ...["--username", login.user, "--password-stdin", registry.host],
      ],
      { input: login.password },
    );
    await execa("chmod", ["a+r", authfile]);
    const { cacheDir, args } = argsFor(registry, debianTags.more);
    const options = ["--cert-dir", certDir];
    expect(await stage([...options, "--authfile", authfile, ...args])).toMatchObject({
      hit: false,
    });
    const elsewhere = { env: { REGISTRY_AUTH_FILE: authfile } };
    expect(await stage([...options, ...args], elsewhere)).toMatchObject({ hit: true });
    const secrets = [
      login.password,
      Buffer.from(`${login.user}:${login.password}`).toString("base64"),
    ];
    for (const secret of secrets) {
      const { exitCode } = await execa("grep", ["-rqF", "--", secret, cacheDir], { reject: false });
      expect(exitCode).toBe(1);
    }
  });

  registryTest("refuses everybody else with 77, who are told what to do", async () => {
    const registry = await debianRegistry({ tls: true, login });
    const wrong = Buffer.from("somebody:wrong-4c1d").toString("base64");
    const auths = { [registry.host]: { auth: wrong } };
    const authfile = settingsFile("auth.json", JSON.stringify({ auths }));
    const certDir = registry.certificates?.certDir ?? "";
    for (const options of [[], ["--authfile", authfile]]) {
      const { args } = argsFor(registry);
      const run = await stageRootfs(["--cert-dir", certDir, ...options, ...args]);
      expect(run).toMatchObject({ stdout: "", exitCode: 77 });
      expect(run.stderr).toMatch(/^stage-rootfs: [^\n]*(?:login|--authfile)[^\n]*\n$/);
      expect(run.stderr).not.toContain("wrong-4c1d");
      expect(run.stderr).not.toContain(wrong);
    }
  });
});
