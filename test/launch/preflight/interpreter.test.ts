import { describe, expect, test } from "vitest";
import { interpreterOf } from "../../../src/launch/preflight/interpreter.js";
import { elfFor } from "./elf.js";
import { madeUpHost } from "./made-up-host.js";

function of(content: string | Buffer) {
  return interpreterOf("/f", madeUpHost({ "/f": content }));
}

describe("the interpreter that a file names", () => {
  test.each([
    { line: "#!/bin/sh", path: "/bin/sh" },
    { line: "#! \t/bin/sh\t-e x\n", path: "/bin/sh" },
    { line: "#!/bin/sh\0more", path: "/bin/sh" },
    { line: "#!sh\n", path: "sh" },
    { line: "#!\n/bin/sh", path: undefined },
    { line: "# !/bin/sh\n", path: undefined },
    { line: "", path: undefined },
    { line: `#!/${"x".repeat(300)}`, path: `/${"x".repeat(253)}` },
  ])("by the line $line is $path", ({ line, path }) => {
    expect(of(line)).toEqual(path === undefined ? undefined : { path, by: "script" });
  });

  test.each([
    { bits: 64, order: "LE" },
    { bits: 64, order: "BE" },
    { bits: 32, order: "LE" },
    { bits: 32, order: "BE" },
  ] as const)("of a program of $bits bits, $order, is its loader", (form) => {
    expect(of(elfFor("/lib/ld.so", form))).toEqual({ path: "/lib/ld.so", by: "loader" });
    expect(of(elfFor(undefined, form))).toBeUndefined();
  });

  test.each([4, 20, 63, 64, 100, 170])("is none where a program ends after %d bytes", (length) => {
    expect(of(elfFor("/lib/ld.so").subarray(0, length))).toBeUndefined();
  });

  test("is none where nobody may read it", () => {
    expect(interpreterOf("/f", { read: () => undefined })).toBeUndefined();
  });
});
