import { chmodSync, chownSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keepCode } from "../../src/cli/keep-code.js";
import { asOrdinaryUser, scratchDirectory } from "../support/scratch-directory.js";

const code = Buffer.from("code");

describe("the code of a script", () => {
  test("is kept whole, in place of what was there", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "hit.code"), "older");
    keepCode(join(directory, "hit.code"), code);
    expect(readdirSync(directory)).toEqual(["hit.code"]);
    expect(readFileSync(join(directory, "hit.code"), "utf8")).toBe("code");
  });

  test("is not kept in a directory that is not to be written to, nor in none", () => {
    const directory = scratchDirectory();
    chmodSync(directory, 0o555);
    asOrdinaryUser(directory, () => keepCode(join(directory, "hit.code"), code));
    keepCode(join(directory, "none", "hit.code"), code);
    expect(readdirSync(directory)).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)("is not kept for another owner of the directory", () => {
    const directory = scratchDirectory();
    chownSync(directory, 12_345, 12_345);
    keepCode(join(directory, "hit.code"), code);
    expect(readdirSync(directory)).toEqual([]);
  });
});
