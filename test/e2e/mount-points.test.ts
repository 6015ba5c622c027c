import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { contents, type Staged, stage } from "./support/staged.js";

const imageTest = testNeeding(debianImageNeeds);

function kindAt({ rootfs }: Staged, path: string): string {
  const stat = lstatSync(join(rootfs, path));
  return stat.isDirectory() ? "dir" : stat.isFile() ? "file" : "other";
}

describe("mount points", () => {
  imageTest("the standard set is there, of the right kind", async () => {
    const { forms } = await debianImage();
    const staged = await stage(["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive]);
    const targets = staged.mountPoints.map(({ target }) => target);
    expect(targets.sort()).toEqual(
      [
        ...["/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp"],
        ...["/etc/group", "/etc/hostname", "/etc/hosts", "/etc/passwd", "/etc/resolv.conf"],
        "/opt/site",
      ].sort(),
    );
    for (const { path, kind } of staged.mountPoints) expect(kindAt(staged, path)).toBe(kind);
  });

  imageTest("a second call adds to the same entry, and keeps the directories' times", async () => {
    const { forms } = await debianImage();
    const args = ["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive];
    const first = await stage(args);
    const before = statSync(join(first.rootfs, "usr"), { bigint: true }).mtimeNs;
    const wanted = ["--mount", "/usr/new/deep:file", "--mount", "/data", "--nix-store"];
    const second = await stage([...wanted, ...args]);
    expect(second).toMatchObject({ rootfs: first.rootfs, hit: true });
    expect(second.mountPoints).toEqual(
      expect.arrayContaining([
        { target: "/usr/new/deep", path: "/usr/new/deep", kind: "file", created: true },
        { target: "/data", path: "/data", kind: "dir", created: true },
        { target: "/nix/store", path: "/nix/store", kind: "dir", created: true },
      ]),
    );
    expect(kindAt(second, "usr/new/deep")).toBe("file");
    const after = statSync(join(first.rootfs, "usr"), { bigint: true }).mtimeNs;
    expect(after / 1000n).toBe(before / 1000n);
    const third = await stage([...wanted, ...args]);
    expect(third.mountPoints).toEqual(second.mountPoints);
  });

  imageTest("links are resolved inside the rootfs", async () => {
    const { forms } = await debianImage();
    const args = ["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive];
    const staged = await stage(["--mount", "/var/run/mine", "--mount", "/bin/tool:file", ...args]);
    const paths = new Map(staged.mountPoints.map(({ target, path }) => [target, path]));
    expect(paths.get("/var/run/mine")).toBe("/run/mine");
    expect(paths.get("/bin/tool")).toBe("/usr/bin/tool");
    expect(kindAt(staged, "usr/bin/tool")).toBe("file");
  });

  imageTest("a clash of kinds gives a second entry, and spares the first", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--cache-dir", cacheDir, forms.ociArchive];
    const asFile = await stage(["--mount", "/data:file", ...args]);
    const asDir = await stage(["--mount", "/data:dir", ...args]);
    expect(asDir.rootfs).not.toBe(asFile.rootfs);
    expect([kindAt(asFile, "data"), kindAt(asDir, "data")]).toEqual(["file", "dir"]);
    expect(contents(cacheDir).entries).toHaveLength(2);
    // Both go on being found.
    expect(await stage(["--mount", "/data:file", ...args])).toMatchObject({
      rootfs: asFile.rootfs,
      hit: true,
    });
    expect(await stage(["--mount", "/data:dir", ...args])).toMatchObject({
      rootfs: asDir.rootfs,
      hit: true,
    });
    // What the image has is replaced in an entry of its own only.
    const replaced = await stage(["--mount", "/etc/debian_version:dir", ...args]);
    expect(kindAt(replaced, "etc/debian_version")).toBe("dir");
    expect(readFileSync(join(asFile.rootfs, "etc/debian_version"), "utf8")).toMatch(/^12/);
    expect(contents(cacheDir).entries).toHaveLength(3);
  });

  imageTest(
    "two jobs that want one place as file and as directory at once both get it",
    async () => {
      const { forms } = await debianImage();
      const args = ["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive];
      await stage(args);
      const wanted = ["file", "dir", "file", "dir", "file", "dir"];
      const all = await Promise.all(
        wanted.map((kind) => stage(["--mount", `/contested:${kind}`, ...args])),
      );
      expect(all.map((staged) => kindAt(staged, "contested"))).toEqual(wanted);
      expect(new Set(all.map(({ rootfs }) => rootfs)).size).toBe(2);
    },
  );

  imageTest("requests that exclude each other are refused", async () => {
    const { forms } = await debianImage();
    const args = ["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive];
    const run = await stageRootfs(["--mount", "/a:file", "--mount", "/a/b", ...args]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]*\/a[^\n]*\n$/);
  });
});
