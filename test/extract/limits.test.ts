import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { unpackLayer } from "../../src/extract/unpack-layer.js";
import { defaultLimits, InflationGuard, type Limits } from "../../src/oci/limits.js";
import {
  directory,
  file,
  type LayerEntry,
  packLayer,
  sha256,
  usualPolicy,
  whiteout,
} from "../support/layers.js";
import { refusal, rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** Unpacks a layer under limits of its own. */
async function unpack(entries: readonly LayerEntry[], limits: Partial<Limits>) {
  const path = `${scratchDirectory()}/layer.tar`;
  const blob = packLayer(entries);
  writeFileSync(path, blob);
  return await unpackLayer({
    span: { path, offset: 0, size: blob.length },
    diffId: sha256(blob),
    digest: null,
    tree: scratchDirectory(),
    policy: usualPolicy,
    limits: { ...defaultLimits, ...limits },
  });
}

const layer = [directory("a"), file("a/b", "12345"), file("a/c", "123456789"), whiteout("gone")];

describe("a layer's limits", () => {
  const cases: readonly [name: keyof Limits, most: number, code: string][] = [
    ["entries", 4, "LIMIT_ENTRIES"],
    ["unpacked", 14, "LIMIT_UNPACKED"],
    ["file", 9, "LIMIT_FILE"],
    ["depth", 2, "LIMIT_DEPTH"],
  ];
  test.each(cases)("%s: %i are allowed, one more is refused with %s", async (name, most, code) => {
    expect((await unpack(layer, { [name]: most })).entries).toBe(4);
    const error = await rejection(unpack(layer, { [name]: most - 1 }));
    expect(error.code).toBe(code);
    expect(error.exitStatus).toBe(65);
    expect(error.hint).toContain(`--max-${name}`);
  });

  test("record: what is kept beside the tree is counted", async () => {
    const attributes = { xattrs: { "user.a": "x".repeat(1000) } };
    const marked = [file("a", "", attributes), file("b", "", attributes), file("c", "")];
    expect((await unpack(marked, { record: 5000 })).entries).toBe(3);
    expect((await rejection(unpack(marked, { record: 1500 }))).code).toBe("LIMIT_RECORD");
  });
});

describe("the guard against bombs", () => {
  const gibibyte = 1024 ** 3;

  test("lets anything pass below a gibibyte", () => {
    const guard = new InflationGuard(defaultLimits, "a blob");
    guard.stored(1);
    expect(() => guard.inflated(gibibyte - 1)).not.toThrow();
  });

  test("stops what is compressed beyond all proportion", () => {
    const guard = new InflationGuard(defaultLimits, "a blob");
    guard.stored(gibibyte / 500);
    guard.inflated(gibibyte - 1);
    expect(refusal(() => guard.inflated(1000)).code).toBe("LIMIT_RATIO");
  });
});
