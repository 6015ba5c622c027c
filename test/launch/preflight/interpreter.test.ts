import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { thisHost } from "../../../src/launch/preflight/host.js";
import { interpreterOf } from "../../../src/launch/preflight/interpreter.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
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

  test.each([
    { what: "more headers than fit", at: 56, value: 0xffff },
    { what: "headers of a size of their own", at: 54, value: 0xffff },
  ])("is none of a program that states $what, and not much is read for it", ({ at, value }) => {
    const file = elfFor("/lib/ld.so");
    file.writeUInt16LE(value, at);
    const asked: number[] = [];
    const read = (_path: unknown, { offset, length }: { offset: number; length: number }) => {
      asked.push(length);
      return file.subarray(offset, offset + length);
    };
    expect(interpreterOf("/f", { read })).toBeUndefined();
    expect(Math.max(...asked)).toBeLessThan(128 * 1024);
  });

  test("is none where its headers are further away than any file goes", () => {
    const path = join(scratchDirectory(), "program");
    const file = elfFor("/lib/ld.so");
    file.writeBigUInt64LE(2n ** 64n - 1n, 32);
    writeFileSync(path, file);
    expect(interpreterOf(path, thisHost)).toBeUndefined();
  });

  test("is not waited for where a fifo is in its place", () => {
    const path = join(scratchDirectory(), "fifo");
    execFileSync("mkfifo", [path]);
    expect(interpreterOf(path, thisHost)).toBeUndefined();
  });

  test("is none where nobody may read it", () => {
    expect(interpreterOf("/f", { read: () => undefined })).toBeUndefined();
  });
});
