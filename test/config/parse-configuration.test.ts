import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../src/config/parse-configuration.js";
import { refusal } from "../support/refusal.js";

const parse = (...lines: readonly string[]) => parseConfiguration(lines.join("\n"), "/etc/c.toml");

describe("a configuration", () => {
  test("of RepX's targets is read as it is", () => {
    const { targets, usualTarget } = parse(
      "[targets.local]",
      "base_path = '/home/me/repx'",
      "mount_paths = ['/home/me/data', '/opt/tools']",
      "[targets.local.local]",
      "execution_types = ['bwrap', 'native']",
      "[targets.cluster]",
      "node_local_path = '/scratch'",
      "base_path = '/shared/repx'",
      "mount_host_paths = true",
      "[targets.cluster.slurm]",
      "execution_types = ['podman', 'native']",
    );
    expect(usualTarget).toBeUndefined();
    expect(Object.fromEntries(targets)).toEqual({
      local: {
        name: "local",
        nodeLocalPath: undefined,
        basePath: "/home/me/repx",
        hostPaths: { all: false, paths: ["/home/me/data", "/opt/tools"] },
        localTypes: ["bwrap", "native"],
        slurmTypes: undefined,
      },
      cluster: {
        name: "cluster",
        nodeLocalPath: "/scratch",
        basePath: "/shared/repx",
        hostPaths: { all: true, paths: [] },
        localTypes: undefined,
        slurmTypes: ["podman", "native"],
      },
    });
  });

  test("of a cache's bounds is read in bytes and seconds", () => {
    const { cache } = parse(
      "[cache]",
      "max_size = '200G'",
      "min_free = '10%'",
      "max_age = '30d'",
      "keep_last = 5",
      "high_watermark = 1000",
      "low_watermark = '512'",
      "auto_gc = true",
    );
    expect(cache).toEqual({
      maxSize: 200 * 1024 ** 3,
      minFree: { percent: 10 },
      maxAge: 30 * 24 * 3600,
      keepLast: 5,
      highWatermark: { bytes: 1000 },
      lowWatermark: { bytes: 512 },
      autoGc: true,
    });
  });

  test.each(["", "# nothing", "[cache]", "[targets]", "[targets.x]"])(
    "may say little: %j",
    (toml) => {
      expect(parse(toml).cache.maxSize).toBeUndefined();
    },
  );

  test("names its usual target", () => {
    expect(parse("target = 'b'", "[targets.a]", "[targets.b]").usualTarget).toBe("b");
  });

  const wrong: readonly (readonly [toml: readonly string[], message: string, hint?: string])[] = [
    [["[cash]"], '1: unknown key "cash"', '"cache"'],
    [["[cache]", "", "maxsize = 1"], '3: unknown key "maxsize" in [cache]', '"max_size"'],
    [
      ["[targets.a]", "base_path = '/b'", "[targets.b]", "mount_path = []", "base_path = '/c'"],
      '4: unknown key "mount_path" in [targets.b]',
      '"mount_paths"',
    ],
    [["targets.a.local.execution_type = []"], "1: unknown key", '"execution_types"'],
    [["[targets.a.slurm]", "execution_types = ['runc']"], "2: execution_types should be a list of"],
    [["[cache]", "max_size = 'much'"], "2: max_size should be"],
    [["[cache]", "max_size = '10%'"], "2: max_size should be"],
    [["[cache]", "max_size = -1"], "2: max_size should be"],
    [["[cache]", "max_size = 1.5"], "2: max_size should be"],
    [["[cache]", "min_free = '101%'"], "2: min_free should be"],
    [["[cache]", "max_age = '1y'"], "2: max_age should be"],
    [["[cache]", "keep_last = '5'"], "2: keep_last should be"],
    [["[cache]", "auto_gc = 1"], "2: auto_gc should be true or false"],
    [["[cache]", "low_watermark = 1"], "2: low_watermark means nothing without"],
    [["[cache]", "high_watermark = 1", "low_watermark = 2"], "3: low_watermark is above"],
    [["[cache]", "high_watermark = '80%'", "low_watermark = '90%'"], "3: low_watermark is above"],
    [["cache = 1"], "1: cache should be a table"],
    [["cache = 2026-11-22"], "1: cache should be a table"],
    [["targets = []"], "1: targets should be a table"],
    [["[targets]", "a = 1"], "2: a should be a table"],
    [["[targets.a]", "local = true"], "2: local should be a table"],
    [["[targets.a]", "base_path = 'b'"], "2: base_path should be an absolute path"],
    [["[targets.a]", "mount_paths = ['b']"], "2: mount_paths should be a list of absolute paths"],
    [["[targets.a]", "mount_host_paths = 'x'"], "2: mount_host_paths should be true or false"],
    [["target = 'b'", "[targets.a]"], "1: there is no [targets.b]", "its targets: a"],
    [["target = ''"], "1: target should be a name"],
    [["[cache]", "max_size = "], "2: "],
    [["[cache]", "[cache]"], "2: "],
    [["[cache]", "max_size = 1", "max_size = 2"], "3: "],
  ];
  test.for(wrong)("is refused with its line: %j", ([toml, message, hint = ""]) => {
    const error = refusal(() => parse(...toml));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain(`/etc/c.toml:${message}`);
    expect(error.hint).toContain(hint);
  });

  test("is refused at the line where a value of many lines begins", () => {
    const error = refusal(() => parse("[targets.a]", "mount_paths = [", "  'x',", "]", "# end"));
    expect(error.message).toContain("/etc/c.toml:2: mount_paths");
  });

  test("may have targets of any name", () => {
    const names = ["constructor", "__proto__", "a.b", ""];
    const { targets } = parse(...names.map((name) => `[targets.${JSON.stringify(name)}]`));
    expect([...targets.keys()]).toEqual(names);
  });
});
