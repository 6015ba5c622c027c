import { existsSync, lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { nixImage, nixImageNeeds } from "./support/nix-image.js";
import { testNeeding } from "./support/programs.js";
import { stage } from "./support/staged.js";
import { runAsOrdinaryUser } from "./support/users.js";

const nixTest = testNeeding([...nixImageNeeds, "bwrap"]);

describe("an image of Nix's dockerTools", () => {
  nixTest.for(["archive", "archiveGzip"] as const)("stages from its %s and runs", async (form) => {
    const image = await nixImage();
    const cacheDir = freshCacheDir("ordinary");
    const staged = await stage(["--cache-dir", cacheDir, image[form]]);
    expect(staged).toMatchObject({ imageId: image.imageId, hit: false });
    expect(staged.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
    const data = join(staged.rootfs, image.dataPath);
    expect(lstatSync(data).mtimeMs).toBe(1000);
    expect(existsSync(join(staged.rootfs, image.shellPath, "bin/sh"))).toBe(true);
    const shell = `${image.shellPath}/bin/sh`;
    const run = await stageRootfs([
      ...["run", "-q", "--cache-dir", cacheDir, image[form]],
      ...["--", shell, "-c", "echo from nix"],
    ]);
    expect(run).toMatchObject({ stdout: "from nix\n", exitCode: 0 });
  });

  nixTest(
    "can be deleted by an ordinary user with plain rm -rf, though its directories are 0555",
    async () => {
      const image = await nixImage();
      const cacheDir = freshCacheDir("ordinary");
      const { rootfs } = await stage(["--cache-dir", cacheDir, image.archive]);
      expect(statSync(join(rootfs, "nix/store")).mode & 0o777).toBe(0o755);
      await runAsOrdinaryUser("rm", ["-rf", join(cacheDir, "v1")]);
      expect(existsSync(join(cacheDir, "v1"))).toBe(false);
    },
  );

  nixTest("keeps the 0555 of store directories for root", async () => {
    const image = await nixImage();
    const { rootfs } = await stage(["--cache-dir", freshCacheDir("root"), image.archive], {
      as: "root",
    });
    expect(statSync(join(rootfs, "nix/store")).mode & 0o777).toBe(0o555);
  });
});
