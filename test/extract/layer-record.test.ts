import { describe, expect, test } from "vitest";
import { type LayerRecord, parseLayerRecord } from "../../src/extract/layer-record.js";
import { policyTag } from "../../src/extract/policy.js";
import { mergeWarnings, Tally } from "../../src/extract/tally.js";
import { directory, file, hardLink, opaque, unpackEntries, whiteout } from "../support/layers.js";

const whole: LayerRecord = {
  schemaVersion: 1,
  unpackedSize: 7,
  entries: 3,
  implied: ["", "a"],
  replaced: ["r"],
  whiteouts: ["w"],
  opaque: ["o"],
  links: [["l", "t"]],
  skipped: ["s"],
  onRecord: {
    owners: { "1:2": ["a"] },
    modes: { "4755": ["b"] },
    xattrs: { c: { "user.x": "eA==" } },
  },
  warnings: [{ code: "C", message: "m", count: 1, examples: ["e"] }],
};

describe("a layer's record", () => {
  test("is read back as it was written, with names of any bytes", async () => {
    const marked = { mode: 0o4755, uid: 1, gid: 2, xattrs: { "user.\xff": "\x00\xff" } };
    const names = ["caf\xe9", "line\nfeed", '"quoted\\"', "toString"];
    const { record } = await unpackEntries(
      [
        ...names.map((name) => file(`d/${name}`, "", marked)),
        directory("e", marked),
        ...names.flatMap((name) => [whiteout(`w/${name}`), opaque(`o/${name}`)]),
        ...names.map((name) => hardLink(`l/${name}`, `lower/${name}`)),
      ],
      { policy: { owner: "squash", setuid: "drop" } },
    );
    expect(parseLayerRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test("is read back also where names at the root mean something to JavaScript", async () => {
    const names = ["constructor", "prototype", "hasOwnProperty", "__proto__"];
    const { record } = await unpackEntries(
      names.map((name) => file(name, "", { xattrs: { [`user.${name}`]: "v" }, uid: 1 })),
      { policy: { owner: "squash", setuid: "drop" } },
    );
    const read = parseLayerRecord(JSON.parse(JSON.stringify(record)));
    expect(Object.keys(read?.onRecord.xattrs ?? {}).sort()).toEqual([...names].sort());
    expect(read).toEqual(record);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a list", [whole]],
    ["text", JSON.stringify(whole)],
    ["another version", { ...whole, schemaVersion: 2 }],
    ["no version", { ...whole, schemaVersion: undefined }],
    ["no whiteouts", { ...whole, whiteouts: undefined }],
    ["whiteouts that are no text", { ...whole, whiteouts: [1] }],
    ["an opaque that is no list", { ...whole, opaque: "o" }],
    ["links of one part", { ...whole, links: [["l"]] }],
    ["attributes that are a list", { ...whole, onRecord: { ...whole.onRecord, xattrs: [] } }],
    [
      "an attribute that is no text",
      { ...whole, onRecord: { ...whole.onRecord, xattrs: { a: { b: 1 } } } },
    ],
    ["no record of owners", { ...whole, onRecord: { modes: {}, xattrs: {} } }],
    ["a size that is text", { ...whole, unpackedSize: "7" }],
    [
      "warnings without a count",
      { ...whole, warnings: [{ code: "C", message: "m", examples: [] }] },
    ],
  ])("is no record: %s", (_, value) => {
    expect(parseLayerRecord(value)).toBeUndefined();
  });

  test("with keys that later versions may add is read without them", () => {
    expect(parseLayerRecord({ ...whole, later: true })).toEqual(whole);
  });
});

describe("warnings", () => {
  test("count all and keep five examples, fit for a terminal", () => {
    const tally = new Tally();
    for (let i = 0; i < 7; i++) tally.add("SETUID_STRIPPED", `f${i}\n`);
    tally.add("SPECIAL_SKIPPED", "\xff");
    expect(tally.toWarnings()).toEqual([
      {
        code: "SETUID_STRIPPED",
        message: expect.stringContaining("setuid"),
        count: 7,
        examples: [0, 1, 2, 3, 4].map((i) => `f${i}\\x0a`),
      },
      { code: "SPECIAL_SKIPPED", message: expect.any(String), count: 1, examples: ["\\xff"] },
    ]);
  });

  test("of several layers are one for each code", () => {
    const of = (code: string, count: number, examples: string[]) => {
      return { code, message: code, count, examples };
    };
    expect(
      mergeWarnings([
        [of("A", 2, ["a", "b"])],
        [],
        [of("B", 1, ["x"]), of("A", 9, ["c", "d", "e", "f", "g"])],
      ]),
    ).toEqual([of("A", 11, ["a", "b", "c", "d", "e"]), of("B", 1, ["x"])]);
    expect(mergeWarnings([])).toEqual([]);
  });
});

describe("policyTag", () => {
  test.each([
    [0, "image", "drop", ""],
    [0, "squash", "drop", "squash"],
    [0, "image", "keep", "setuid"],
    [0, "squash", "keep", "squash-setuid"],
    [1000, "squash", "drop", ""],
    [1000, "squash", "keep", "setuid"],
    [1000, "image", "drop", "image"],
  ] as const)("of user %d with owner %s and setuid %s is %j", (uid, owner, setuid, tag) => {
    expect(policyTag({ owner, setuid }, uid)).toBe(tag);
  });
});
