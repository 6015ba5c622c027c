import { describe, expect, test } from "vitest";
import { commands, findCommand } from "../../src/cli/commands.js";
import { helpText } from "../../src/cli/help.js";

describe.each(commands.map((command) => [command.name || "plain stage-rootfs", command] as const))(
  "the help of %s",
  (_, command) => {
    const text = helpText(command);

    test("names every option that it takes, each on a line of its own", () => {
      for (const option of command.options) {
        expect(text).toMatch(new RegExp(`^  (?:-\\w, )?--${option}(?: .*)?  \\S`, "m"));
      }
    });

    test("names no option that it does not take", () => {
      const [options = ""] = /^Options:\n(?: .*\n)*/m.exec(text) ?? [];
      const named = [...options.matchAll(/^ {2}(?:-\w, )?--([a-z0-9-]+)/gm)].map(
        ([, name]) => name,
      );
      expect(named).toEqual([...command.options]);
    });

    test("has the synopsis and an example that begins with the program", () => {
      expect(text).toContain(`stage-rootfs ${command.synopsis}`);
      expect(text).toContain(command.example);
      expect(command.example).toContain("stage-rootfs");
    });

    test("says how an image is named where it takes one", () => {
      expect(text.includes("\nIMAGE is a file")).toBe(command.words.most > 0);
    });

    test("ends with a line feed, and no line of it with blanks", () => {
      expect(text.endsWith("\n")).toBe(true);
      expect(text).not.toMatch(/[ \t]\n/);
    });
  },
);

test("the main help has an overview of all commands", () => {
  const text = helpText(commands[0]);
  for (const { synopsis, summary } of commands) {
    expect(text).toContain(`stage-rootfs ${synopsis}`);
    expect(text).toContain(summary);
  }
});

test.each([
  ["", /--wait SECONDS .*\(default: no limit\)/],
  ["gc", /--wait SECONDS .* another gc \(default: no limit\)/],
  ["rm", /--wait SECONDS .*\(default: 0\)/],
  ["verify", /--wait SECONDS .*\(default: 60\)/],
  ["release", /--lease WHAT .* as ls shows it/],
])("the help of '%s' says what an option does there", (name, line) => {
  const command = commands.find((each) => each.name === name) ?? commands[0];
  expect(helpText(command)).toMatch(line);
});

describe("findCommand", () => {
  test("finds each by its name", () => {
    for (const command of commands.slice(1)) expect(findCommand(command.name)).toBe(command);
  });

  test.each(["", undefined, "Run", "runs", "image.tar", "constructor"])(
    "finds none for %j",
    (word) => {
      expect(findCommand(word)).toBeUndefined();
    },
  );
});
