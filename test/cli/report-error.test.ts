import { afterEach, describe, expect, test, vi } from "vitest";
import { Interrupted, interruptible } from "../../src/cli/interruption.js";
import { reportError } from "../../src/cli/report-error.js";
import { type ErrorCode, StageError } from "../../src/errors.js";
import { captureOutput } from "../support/captured-output.js";

/** As documented; a change here is a change for every script that looks at it. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  USAGE: 2,
  IMAGE_INVALID: 65,
  IMAGE_UNSUPPORTED: 65,
  DIGEST_MISMATCH: 65,
  CACHE_DAMAGED: 65,
  LIMIT_LAYERS: 65,
  LIMIT_DOCUMENT: 65,
  LIMIT_ENTRIES: 65,
  LIMIT_UNPACKED: 65,
  LIMIT_FILE: 65,
  LIMIT_RECORD: 65,
  LIMIT_DEPTH: 65,
  LIMIT_RATIO: 65,
  NOT_FOUND: 66,
  REFERENCE_AMBIGUOUS: 66,
  REGISTRY: 69,
  INTERNAL: 70,
  NO_SPACE: 73,
  NOT_WRITABLE: 73,
  BUSY: 75,
  CANCELLED: 75,
  PERMISSION: 77,
  CACHE_UNTRUSTED: 77,
  AUTH: 77,
  CONFIG: 78,
  CACHE_UNSUITABLE: 78,
  SANDBOX: 125,
  TOO_LONG: 125,
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
};
const codes = Object.keys(statuses) as ErrorCode[];

afterEach(() => {
  vi.unstubAllEnvs();
});

function reported(error: unknown, json = false) {
  const output = captureOutput();
  const status = reportError(error, { json });
  expect(output.stdout).toBe("");
  return { status, text: output.stderr };
}

test.each(codes)("%s has its exit status, in words and as JSON", (code) => {
  const error = new StageError(code, "message");
  expect(reported(error).status).toBe(statuses[code]);
  expect(reported(error, true).status).toBe(statuses[code]);
});

describe("in words", () => {
  test("an error is one line with its hint", () => {
    const { text } = reported(new StageError("BUSY", "it is busy", { hint: "try again" }));
    expect(text).toBe("stage-rootfs: it is busy (try again)\n");
  });

  test("an error without a hint is one line too", () => {
    expect(reported(new StageError("BUSY", "it is busy")).text).toBe("stage-rootfs: it is busy\n");
  });

  test("names can't add lines or upset the terminal", () => {
    const hostile = "a\nb\rc\x1b]0;title\x07\x9b2J\u2028\u202ereversed\0";
    const { text } = reported(new StageError("NOT_FOUND", hostile, { hint: hostile }));
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(text.endsWith("\n")).toBe(true);
    for (const character of text.slice(0, -1)) {
      const code = character.codePointAt(0) ?? 0;
      expect(code >= 0x20 && !(code >= 0x7f && code < 0xa0)).toBe(true);
      expect([0x2028, 0x202e]).not.toContain(code);
    }
    expect(text).toContain("a\\x0ab\\x0dc\\x1b]0;title\\x07\\x9b2J\\u2028\\u202ereversed\\x00");
  });

  test("what is no error of ours is one of ours, and asks to be reported", () => {
    const { status, text } = reported(new TypeError("x is not a function"));
    expect(status).toBe(70);
    expect(text).toMatch(
      /^stage-rootfs: internal error: x is not a function \(this is a bug: .*\)\n$/,
    );
  });

  test.each(["a string", 7, null, undefined])(
    "what is thrown need not be an error: %j",
    (thrown) => {
      const { status, text } = reported(thrown);
      expect(status).toBe(70);
      expect(text).toContain(`internal error: ${String(thrown)}`);
    },
  );

  test("there is no stack, unless it is asked for; then its causes are there too", () => {
    const cause = new Error("the cause");
    const error = new StageError("INTERNAL", "message", { cause });
    expect(reported(error).text).not.toContain("at ");
    vi.stubEnv("STAGE_ROOTFS_DEBUG", "0");
    expect(reported(error).text).not.toContain("at ");
    vi.stubEnv("STAGE_ROOTFS_DEBUG", "1");
    const { text } = reported(error);
    expect(text).toContain("    at ");
    expect(text).toContain("caused by Error: the cause");
  });
});

describe("as JSON", () => {
  test("an error is one object on one line", () => {
    const { text } = reported(new StageError("BUSY", "it is\nbusy", { hint: "try again" }), true);
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text)).toEqual({
      error: { code: "BUSY", message: "it is\\x0abusy", hint: "try again" },
    });
  });

  test("several findings are there, each fit to print", () => {
    const findings = [
      { code: "ONE", message: "a\n", hint: "b\n" },
      { code: "TWO", message: "c" },
    ];
    const { text } = reported(new StageError("SANDBOX", "a and 1 more", { findings }), true);
    expect(JSON.parse(text)).toEqual({
      error: {
        code: "SANDBOX",
        message: "a and 1 more",
        findings: [
          { code: "ONE", message: "a\\x0a", hint: "b\\x0a" },
          { code: "TWO", message: "c" },
        ],
      },
    });
  });

  test("an error without a hint has none", () => {
    const { text } = reported(new StageError("BUSY", "busy"), true);
    expect(JSON.parse(text)).toEqual({ error: { code: "BUSY", message: "busy" } });
  });

  test("what is no error of ours is INTERNAL", () => {
    expect(JSON.parse(reported(new Error("x"), true).text)).toMatchObject({
      error: { code: "INTERNAL", message: "internal error: x" },
    });
  });
});

describe("a signal", () => {
  test.each([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops the work and gives the status %d", async (signal, status) => {
    const before = process.listenerCount(signal);
    const work = interruptible(
      async (abort) => {
        process.kill(process.pid, signal);
        await new Promise((resolve) => abort.addEventListener("abort", resolve));
        throw abort.reason;
      },
      { hint: "do this next" },
    );
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Interrupted);
    expect(reported(error)).toEqual({
      status,
      text: expect.stringContaining(`stopped by ${signal} (do this next)`),
    });
    expect(process.listenerCount(signal)).toBe(before);
  });

  test("has no hint where none is given", async () => {
    const error = await interruptible(async (abort) => {
      process.kill(process.pid, "SIGTERM");
      await new Promise((resolve) => abort.addEventListener("abort", resolve));
      throw abort.reason;
    }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: "stopped by SIGTERM", hint: undefined });
  });

  test("that does not come leaves the work's result, and no listeners", async () => {
    const before = process.listenerCount("SIGTERM");
    expect(await interruptible(async () => "done")).toBe("done");
    await expect(interruptible(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
