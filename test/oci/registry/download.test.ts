import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDigest } from "../../../src/oci/digest.js";
import { downloadBlob } from "../../../src/oci/registry/download.js";
import { type Oddity, on, startOddRegistry } from "../../support/odd-registry.js";
import { rejection } from "../../support/refusal.js";
import { type AskOptions, askRegistry } from "../../support/registry/ask-registry.js";
import {
  corrupted,
  cut,
  endless,
  failing,
  ignoringRange,
  paced,
  tooLong,
  tooShort,
  wrongContentRange,
} from "../../support/registry/oddities.js";
import { bytesIn, servedImage } from "../../support/registry/registry-content.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const image = servedImage();
const [, layer] = image.layers;
if (!layer) throw new Error("the image has two layers");
const blob = { digest: parseDigest(layer.digest), size: layer.size };
const content = bytesIn(image, layer.digest) ?? Buffer.alloc(0);

interface Downloaded {
  readonly outcome: "whole" | unknown;
  readonly file: Buffer;
  readonly growth: readonly number[];
  readonly fetched: number;
  /** The Range headers of the requests; "" for those without. */
  readonly ranges: readonly string[];
}

/** Downloads the layer from a registry with such faults, after what is there already. */
async function download(
  oddities: readonly Oddity[],
  options: AskOptions & { before?: Buffer; signal?: AbortSignal } = {},
): Promise<Downloaded> {
  const server = await startOddRegistry(oddities.map((oddity) => on("layer", oddity)));
  const path = `${scratchDirectory()}/blob`;
  if (options.before) writeFileSync(path, options.before);
  const growth: number[] = [];
  let fetched = 0;
  const outcome = await downloadBlob(askRegistry([server.host], options), {
    blob,
    path,
    signal: options.signal ?? new AbortController().signal,
    onGrowth: (bytes) => growth.push(bytes),
    onBytes: (count) => {
      fetched += count;
    },
  }).then(
    () => "whole" as const,
    (error: unknown) => error,
  );
  const ranges = server.seen("layer").map(({ headers }) => headers.range ?? "");
  return { outcome, file: readFileSync(path), growth, fetched, ranges };
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number >= (numbers[i - 1] ?? 0));
}

describe("a blob", () => {
  test("comes whole, and its growth is told", async () => {
    const { outcome, file, growth, fetched, ranges } = await download([]);
    expect(outcome).toBe("whole");
    expect(file.equals(content)).toBe(true);
    expect([growth[0], growth.at(-1), isRising(growth)]).toEqual([0, blob.size, true]);
    expect(fetched).toBe(blob.size);
    expect(ranges).toEqual([""]);
  });

  const before = content.subarray(0, 100_000);

  test("goes on where an earlier process stopped", async () => {
    const { outcome, file, growth, fetched, ranges } = await download([], { before });
    expect([outcome, file.equals(content)]).toEqual(["whole", true]);
    expect(growth[0]).toBe(before.length);
    expect(fetched).toBe(blob.size - before.length);
    expect(ranges).toEqual([`bytes=${before.length}-`]);
  });

  test("that is there already is not asked for", async () => {
    const { outcome, ranges } = await download([], { before: content });
    expect([outcome, ranges]).toEqual(["whole", []]);
  });

  test("begins anew where there is more than it has", async () => {
    const { outcome, file, ranges } = await download([], {
      before: Buffer.concat([content, Buffer.from("more")]),
    });
    expect([outcome, file.equals(content), ranges]).toEqual(["whole", true, [""]]);
  });

  const endings = ["reset", "close", "stall"] as const;
  test.for(endings)("goes on when the connection ends in a %s", async (ending) => {
    let asked = 0;
    const twice: Oddity = (answer, request) => {
      return asked++ < 2 ? cut(90_000, ending)(answer, request) : answer;
    };
    const { outcome, file, ranges, growth } = await download([twice], { idle: 300 });
    expect(outcome).toBe("whole");
    expect(file.equals(content)).toBe(true);
    expect(ranges).toHaveLength(3);
    expect(ranges[0]).toBe("");
    expect(isRising(growth)).toBe(true);
  });

  test("comes whole from a registry that knows no ranges", async () => {
    const { outcome, file, fetched } = await download([ignoringRange(image)], { before });
    expect([outcome, file.equals(content)]).toEqual(["whole", true]);
    expect(fetched).toBe(blob.size);
  });

  test.for([
    ["too long", tooLong],
    ["endless", endless],
  ] as const)("that is %s is cut where it should end", async ([, oddity]) => {
    const { outcome, file, fetched } = await download([oddity]);
    expect([outcome, file.length]).toEqual(["whole", blob.size]);
    expect(fetched).toBeLessThan(blob.size + 1024 ** 2);
  });

  test("with wrong bytes is as long as it should be: its reader finds out", async () => {
    const { outcome, file } = await download([corrupted]);
    expect([outcome, file.length, file.equals(content)]).toEqual(["whole", blob.size, false]);
  });

  test("in small pieces comes whole", async () => {
    const { outcome, file } = await download([paced(30_000, 5)]);
    expect([outcome, file.equals(content)]).toEqual(["whole", true]);
  });

  const faults: readonly (readonly [string, Oddity, { code: string; requests: number }])[] = [
    ["is not there", failing(404), { code: "NOT_FOUND", requests: 1 }],
    ["is denied", failing(403), { code: "AUTH", requests: 1 }],
    ["never gets further", cut(0, "reset"), { code: "REGISTRY", requests: 5 }],
    ["is too short", tooShort, { code: "IMAGE_INVALID", requests: 1 }],
    ["comes in the wrong part", wrongContentRange, { code: "REGISTRY", requests: 1 }],
  ];
  test.for(faults)("that %s is an error", async ([, fault, { code, requests }]) => {
    const isPart = fault === wrongContentRange;
    const options = isPart ? { before } : {};
    const { outcome, ranges } = await download([fault], options);
    expect(outcome).toMatchObject({ name: "StageError", code });
    expect(ranges).toHaveLength(requests);
  });

  test("is given up at once when it is to be, and what came stays", async () => {
    const controller = new AbortController();
    const oddity: Oddity = (answer, request) => {
      setTimeout(() => controller.abort(new Error("enough")), 100);
      return cut(90_000, "stall")(answer, request);
    };
    const { outcome, file } = await download([oddity], { signal: controller.signal });
    expect(outcome).toMatchObject({ message: "enough" });
    expect(file.equals(content.subarray(0, file.length))).toBe(true);
    expect(file.length).toBeGreaterThan(0);
  });

  test("for which there is no place is an error that names the file", async () => {
    const server = await startOddRegistry();
    const path = `${scratchDirectory()}/none/blob`;
    const nothing = () => undefined;
    const { signal } = new AbortController();
    const work = downloadBlob(askRegistry([server.host]), {
      blob,
      path,
      signal,
      onGrowth: nothing,
      onBytes: nothing,
    });
    expect((await rejection(work)).message).toContain(path);
  });
});
