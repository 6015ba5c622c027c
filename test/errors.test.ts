import { expect, test } from "vitest";
import { errnoOf, fromSystemError } from "../src/errors.js";

/** What Node throws for an errno that it has no name for. */
function unnamed(errno: number): Error {
  const code = `Unknown system error -${errno}`;
  return Object.assign(new Error(code), { errno: -errno, code });
}

test.each([
  [122, "EDQUOT", "NO_SPACE", "the disk quota is used up"],
  [117, "EUCLEAN", "NOT_WRITABLE", "the file system is damaged"],
  [74, "EBADMSG", "NOT_WRITABLE", "the file system is damaged"],
  [116, "ESTALE", "NOT_WRITABLE", "the file system has lost it (stale file handle)"],
])("errno %d, which Node does not name, is %s", (errno, name, code, reason) => {
  expect(errnoOf(unnamed(errno))).toBe(name);
  expect(fromSystemError(unnamed(errno), "write /f")).toMatchObject({
    code,
    message: `cannot write /f: ${reason}`,
    exitStatus: 73,
  });
});

test("an errno that nobody names stays what Node says", () => {
  expect(errnoOf(unnamed(99))).toBe("Unknown system error -99");
});
