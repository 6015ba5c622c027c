import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { argumentFaults, ownLimits } from "../../../src/launch/preflight/argument-faults.js";

const usual = { page: 4096, stack: 8 * 1024 ** 2 };

function faults(argv: readonly [string, ...string[]], env: Record<string, string> = {}) {
  const found = argumentFaults({ argv, env }, () => usual);
  return found.map(({ code, message }) => `${code}: ${message}`);
}

const kilobyte = "x".repeat(1023);

describe("what a command is given", () => {
  test("is not counted closely where any kernel takes it", () => {
    const never = () => {
      throw new Error("asked for the limits");
    };
    expect(argumentFaults({ argv: ["/bin/true", "x".repeat(100_000)], env: {} }, never)).toEqual(
      [],
    );
  });

  test("may hold strings of 128 KiB with their end, and no longer ones", () => {
    expect(faults(["/bin/true", "x".repeat(131_071)])).toEqual([]);
    expect(faults(["/bin/true", "x".repeat(131_072)])).toEqual([
      "TOO_LONG: argument 1 is 128 KiB long, and the kernel takes 128 KiB",
    ]);
    expect(faults(["/bin/true"], { V: "é".repeat(70_000) })).toEqual([
      "TOO_LONG: the variable V is 137 KiB long, and the kernel takes 128 KiB",
    ]);
  });

  test("may take a quarter of the stack, with eight bytes for each string", () => {
    // Each takes 1024 bytes and 8; the command's name takes 10 twice, and 8.
    const fitting = Math.floor((2 * 1024 ** 2 - 28) / 1032);
    expect(faults(["/bin/true", ...Array(fitting).fill(kilobyte)])).toEqual([]);
    expect(faults(["/bin/true", ...Array(fitting + 1).fill(kilobyte)])).toEqual([
      "TOO_LONG: arguments and environment take 2.00 MiB, and the kernel takes 2.00 MiB",
    ]);
  });

  test.each([
    { stack: Number.POSITIVE_INFINITY, most: 6 * 1024 ** 2 },
    { stack: 64 * 1024, most: 128 * 1024 },
  ])("may take $most bytes with a stack of $stack", ({ stack, most }) => {
    const count = (bytes: number) => Math.floor((bytes - 28) / 1032);
    const found = (strings: number) => {
      const argv = ["/bin/true", ...Array<string>(strings).fill(kilobyte)] as const;
      return argumentFaults({ argv: ["/bin/true", ...argv.slice(1)], env: {} }, () => {
        return { page: 4096, stack };
      });
    };
    expect(found(count(most))).toEqual([]);
    expect(found(count(most) + 1)).toHaveLength(1);
  });

  test("holds no NUL byte", () => {
    expect(faults(["a\0b", "c"], { V: "\0" })).toEqual([
      "NUL_BYTE: the command holds a NUL byte, which no command can be given",
      "NUL_BYTE: the variable V holds a NUL byte, which no command can be given",
    ]);
  });
});

describe("this machine's kernel", () => {
  test("has the limits that are reckoned with", () => {
    expect(ownLimits().page).toBe(Number(execFileSync("getconf", ["PAGESIZE"])));
  });

  /** How many strings of a kilobyte are taken for one command too many. */
  function mostStrings(): number {
    const limits = ownLimits();
    const isFaulty = (count: number) => {
      const argv = ["/bin/true", ...Array<string>(count).fill(kilobyte)];
      return (
        argumentFaults({ argv: ["/bin/true", ...argv.slice(1)], env: {} }, () => limits).length > 0
      );
    };
    let [fits, tooMany] = [1, 10_000];
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2);
      if (isFaulty(middle)) tooMany = middle;
      else fits = middle;
    }
    return fits;
  }

  test("takes just what is let pass, and no more", () => {
    const count = mostStrings();
    const outcome = (strings: number) => {
      return spawnSync("/bin/true", Array<string>(strings).fill(kilobyte), { env: {} }).error;
    };
    expect(outcome(count)).toBeUndefined();
    expect(outcome(count + 1)).toMatchObject({ code: "E2BIG" });
  });
});
