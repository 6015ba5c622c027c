import { expect, test } from "vitest";
import { chooseTarget, localPath } from "../../src/config/choose-target.js";
import { noConfiguration } from "../../src/config/configuration.js";
import { parseConfiguration } from "../../src/config/parse-configuration.js";
import { refusal } from "../support/refusal.js";

const of = (...lines: readonly string[]) => parseConfiguration(lines.join("\n"), "/c.toml");
const one = of("[targets.a]", "base_path = '/base'");
const two = of("[targets.a]", "base_path='/base'", "[targets.b]", "node_local_path='/local'");
const usual = of("target = 'b'", "[targets.a]", "base_path='/base'", "[targets.b]");
const both = of("[targets.a]", "base_path='/base'", "node_local_path='/local'");
const without = of("[targets.a]", "[targets.b]");

test.each([
  ["the only one", one, undefined, "a"],
  ["the one that is named", two, "b", "b"],
  ["the usual one", usual, undefined, "b"],
  ["the one that is named, rather than the usual one", usual, "a", "a"],
  ["none of several", two, undefined, undefined],
  ["none where there is no configuration", noConfiguration, undefined, undefined],
])("the target that is meant is %s", (_, configuration, option, name) => {
  expect(chooseTarget(configuration, option)?.name).toBe(name);
});

test("a target that is not there is refused, and the nearest one named", () => {
  const error = refusal(() => chooseTarget(usual, "bb"));
  expect([error.code, error.message, error.hint]).toEqual([
    "CONFIG",
    'no target "bb": not in /c.toml',
    'the nearest known one is "b"',
  ]);
  expect(refusal(() => chooseTarget(noConfiguration, "b")).message).toContain("no configuration");
});

test.each([
  ["base_path", one, undefined, "/base"],
  ["node_local_path before base_path", both, undefined, "/local"],
  ["the named target's", two, "b", "/local"],
  ["nowhere where the target has neither", usual, undefined, undefined],
  ["nowhere where none of several has one", without, undefined, undefined],
])("the local path is %s", (_, configuration, option, path) => {
  expect(localPath(configuration, option)).toBe(path);
});

test("of several targets with paths, one has to be named", () => {
  const error = refusal(() => localPath(two, undefined));
  expect([error.code, error.message]).toEqual(["CONFIG", "/c.toml has several targets"]);
  expect(error.hint).toContain("a, b");
});
