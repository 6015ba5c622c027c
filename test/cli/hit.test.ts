import { chmodSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { answerHit } from "../../src/cli/hit.js";
import { main } from "../../src/cli/main.js";
import { writeAtOnce } from "../../src/cli/write-at-once.js";
import { captureOutput } from "../support/captured-output.js";
import { file } from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));
vi.mock("../../src/cli/write-at-once.js", () => ({ writeAtOnce: vi.fn() }));

/** What is said on stdout for a command line; undefined where it is left to others. */
function answer(...argv: readonly string[]): string | undefined {
  vi.mocked(writeAtOnce).mockClear();
  const { isAnswered } = answerHit(argv);
  const [call, ...more] = vi.mocked(writeAtOnce).mock.calls;
  expect(more).toEqual([]);
  expect(call !== undefined).toBe(isAnswered);
  return call?.[0];
}

/** A cache with an image in it, and what was said when it was staged. */
async function stagedImage(): Promise<{ cache: string; image: string; said: string }> {
  const [image, cache] = [archiveFile([[file("f", "content")]]), `${scratchDirectory()}/cache`];
  const output = captureOutput();
  expect(await main([`--cache-dir=${cache}`, image])).toBe(0);
  return { cache: `--cache-dir=${cache}`, image, said: output.stdout };
}

describe("answerHit", () => {
  test("says of an image that stands in the cache what main said", async () => {
    const { cache, image, said } = await stagedImage();
    expect(answer(cache, image)).toBe(said);
    expect(answer(image, cache, "--quiet", "--progress=none", "--jobs=3")).toBe(said);
    expect(JSON.parse(answer(cache, image, "--json") ?? "")).toMatchObject({
      hit: true,
      rootfs: said.trimEnd(),
    });
  });

  const own = new Set<string>(commands[0].options);
  const odd = commands.flatMap(({ options }) => options.filter((name) => !own.has(name)));
  test.each([...new Set(odd)])(
    "leaves to main the option --%s, of other commands",
    async (name) => {
      const { cache, image } = await stagedImage();
      expect(answer(cache, image, `--${name}`)).toBeUndefined();
      expect(answer(cache, image, `--${name}=1`)).toBeUndefined();
    },
  );

  test("leaves to main what is not in the cache", async () => {
    const { cache, image } = await stagedImage();
    const other = archiveFile([[file("other", "content")]]);
    expect(answer(cache, other)).toBeUndefined();
    expect(answer(`--cache-dir=${scratchDirectory()}/none`, image)).toBeUndefined();
    expect(answer(cache, `${image}.missing`)).toBeUndefined();
    expect(answer(cache, image, "--mount=/else=dir")).toBeUndefined();
  });

  const forMain: readonly (readonly [string, ...string[]])[] = [
    ["another command", "run"],
    ["help", "--help"],
    ["the version", "--version"],
    ["options of another command", "--chdir=/"],
    ["a command to run", "--", "true"],
    ["a second word", "more"],
    ["an unknown option", "--unknown"],
    ["a limit that is none", "--max-file=much"],
    ["progress of an unknown kind", "--progress=loud"],
    ["an owner that is none", "--owner=me"],
  ];
  test.for(forMain)("leaves to main %s", async ([, ...words]) => {
    const { cache, image } = await stagedImage();
    expect(answer(cache, ...(words[0] === "run" ? [...words, image] : [image, ...words]))).toBe(
      undefined,
    );
  });

  test("leaves to main a cache that others can write to", async () => {
    const { cache, image } = await stagedImage();
    chmodSync(cache.slice("--cache-dir=".length), 0o777);
    expect(answer(cache, image)).toBeUndefined();
  });

  test("leaves to main what could not be written", async () => {
    const { cache, image } = await stagedImage();
    vi.mocked(writeAtOnce).mockImplementationOnce(() => {
      throw new Error("EPIPE");
    });
    expect(answerHit([cache, image])).toEqual({ isAnswered: false, waitedMs: 0 });
  });
});
