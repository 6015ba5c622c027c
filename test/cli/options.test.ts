import { describe, expect, test } from "vitest";
import { choiceOption, numberOption, parseCommandLine, sizeOption } from "../../src/cli/options.js";
import { refusal } from "../support/refusal.js";

describe("parseCommandLine", () => {
  test.each([
    [[], {}, [], undefined],
    [["image.tar"], {}, ["image.tar"], undefined],
    [["-"], {}, ["-"], undefined],
    [["run", "i", "--", "sh", "-c", "x"], {}, ["run", "i"], ["sh", "-c", "x"]],
    [["run", "i", "--"], {}, ["run", "i"], []],
    [["run", "i", "--", "--", "--json"], {}, ["run", "i"], ["--", "--json"]],
    [["--json", "i"], { json: true }, ["i"], undefined],
    [["i", "--json"], { json: true }, ["i"], undefined],
    [["-q", "-h", "i"], { quiet: true, help: true }, ["i"], undefined],
    [["-qh"], { quiet: true, help: true }, [], undefined],
    [["--cache-dir", "/c", "i"], { "cache-dir": "/c" }, ["i"], undefined],
    [["--cache-dir=/c", "i"], { "cache-dir": "/c" }, ["i"], undefined],
    [["--cache-dir=", "i"], { "cache-dir": "" }, ["i"], undefined],
    [["--env", "A=b=c"], { env: ["A=b=c"] }, [], undefined],
    [["--mount", "/a", "i", "--mount=/b"], { mount: ["/a", "/b"] }, ["i"], undefined],
    [["--bind", "/a:/b", "--bind", "/c:/d"], { bind: ["/a:/b", "/c:/d"] }, [], undefined],
    [["--wait", "1", "--wait", "2"], { wait: "2" }, [], undefined],
    [["--max-size", "-5", "i"], { "max-size": "-5" }, ["i"], undefined],
    [["--env", "-1", "--env=-2"], { env: ["-1", "-2"] }, [], undefined],
    [["docker-archive:a.tar:tag"], {}, ["docker-archive:a.tar:tag"], undefined],
  ])("takes %j", (argv, values, words, rest) => {
    const line = parseCommandLine(argv);
    expect({ ...line.values }).toEqual(values);
    expect(line.words).toEqual(words);
    expect(line.rest).toEqual(rest);
  });

  test.each([
    [["--no-such-option"], "--no-such-option"],
    [["-x"], "-x"],
    [["--cache-dir"], "--cache-dir"],
    [["--cache-dir", "--", "x"], "--cache-dir"],
    [["--cache-dir", "--json"], "--cache-dir"],
    [["--json=yes"], "--json"],
    [["--quiet=1"], "--quiet"],
    [["--__proto__"], "--__proto__"],
    [["--constructor"], "--constructor"],
  ])("refuses %j and names what is wrong", (argv, name) => {
    const error = refusal(() => parseCommandLine(argv));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(name);
    expect(error.hint).toContain("--help");
  });

  test("says how a value that looks like an option is written", () => {
    const error = refusal(() => parseCommandLine(["i", "--cache-dir", "-c"]));
    expect(error.message).toBe("--cache-dir takes a value, and -c looks like an option");
    expect(error.hint).toContain("--cache-dir=-c");
  });

  test("names the value that looks like an option, of several", () => {
    const error = refusal(() =>
      parseCommandLine(["--env", "A=1", "--env", "B=2", "--env", "-x=1"]),
    );
    expect(error.message).toBe("--env takes a value, and -x=1 looks like an option");
  });

  test("says that a value is missing at the end", () => {
    const error = refusal(() => parseCommandLine(["i", "--gpu"]));
    expect(error.message).toBe("--gpu takes a value, and none follows");
  });

  test("escapes what an option's name could do to a terminal", () => {
    expect(refusal(() => parseCommandLine(["--\x1b[2J\n"])).message).not.toContain("\x1b");
  });
});

describe("numberOption", () => {
  test.each([
    [undefined, undefined],
    ["0", 0],
    ["7", 7],
    ["007", 7],
    ["999999999", 999_999_999],
  ])("takes %j for %j", (text, number) => {
    expect(numberOption(text === undefined ? {} : { wait: text }, "wait")).toBe(number);
  });

  test.each(["", " ", "-1", "+1", "1.5", "1e3", "0x10", "ten", "1 ", "1\n", "9999999999", "١"])(
    "refuses %j",
    (text) => {
      const error = refusal(() => numberOption({ jobs: text }, "jobs"));
      expect(error.code).toBe("USAGE");
      expect(error.message).toContain("--jobs takes a whole number");
    },
  );
});

describe("sizeOption", () => {
  test.each([
    [undefined, undefined],
    ["0", 0],
    ["12", 12],
    ["1K", 1024],
    ["3M", 3 * 1024 ** 2],
    ["2G", 2 * 1024 ** 3],
    ["1T", 1024 ** 4],
  ])("takes %j for %j", (text, size) => {
    expect(sizeOption(text === undefined ? {} : { "max-file": text }, "max-file")).toBe(size);
  });

  test.each(["", "K", "1k", "1KB", "1.5G", "-1", "1 G", "1P", "1234567890123456"])(
    "refuses %j",
    (text) => {
      expect(refusal(() => sizeOption({ "max-file": text }, "max-file")).code).toBe("USAGE");
    },
  );
});

describe("choiceOption", () => {
  const words = ["image", "squash"] as const;

  test("takes one of the words, or nothing", () => {
    expect(choiceOption({ owner: "squash" }, { name: "owner", words })).toBe("squash");
    expect(choiceOption({}, { name: "owner", words })).toBeUndefined();
  });

  test.each(["", "Image", "image ", "root", "image\n"])(
    "refuses %j and lists the words",
    (owner) => {
      const error = refusal(() => choiceOption({ owner }, { name: "owner", words }));
      expect(error.code).toBe("USAGE");
      expect(error.message).toContain("--owner takes image, squash");
    },
  );
});
