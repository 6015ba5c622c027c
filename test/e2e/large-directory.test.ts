import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { directory, file, whiteout } from "../support/layers.js";
import { dockerArchive } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { makeScratchDir } from "./support/places.js";
import { stage } from "./support/staged.js";

test("a directory of 100,000 entries is staged, and every second one hidden", async () => {
  const all = Array.from({ length: 100_000 }, (_, i) => file(`many/${i}`, `${i % 10}`));
  const hidden = all.filter((_, i) => i % 2 === 1).map(({ name }) => whiteout(name));
  const scratch = makeScratchDir("large", { mode: 0o755 });
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const archive = join(scratch, "image.tar");
  writeFileSync(archive, dockerArchive([[directory("many"), ...all], hidden]));
  const { rootfs } = await stage(["--cache-dir", freshCacheDir("ordinary"), archive]);
  const left = readdirSync(join(rootfs, "many"), { encoding: "utf8" }).map(Number);
  expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: 50_000 }, (_, i) => 2 * i));
  expect(readFileSync(join(rootfs, "many/99998"), "utf8")).toBe("8");
});
