import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostPathBinds } from "../../../src/launch/grants/host-paths.js";
import { writeFiles } from "../../support/file-set.js";
import { refusal } from "../../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../../support/scratch-directory.js";

function host(): string {
  return writeFiles(
    scratchDirectory(),
    new Map<string, string | { symlink: string }>([
      ...["proc", "dev", "sys", "tmp", "run", "lost+found"].map((name) => {
        return [`${name}/own`, ""] as const;
      }),
      ["home/user/data", ""],
      ["opt/tools/bin", ""],
      ["bin", { symlink: "opt" }],
      ["broken", { symlink: "nowhere" }],
      ["vmlinuz", ""],
      ["nix/store/abc", ""],
      ["nix/var/socket", ""],
    ]),
  );
}

const file = "/etc/config.toml";

describe("all directories at the top", () => {
  test("are those that a sandbox has none of its own of, and of Nix's only the store", () => {
    const root = host();
    const found = hostPathBinds({ all: true, paths: [] }, { file, root });
    expect(
      found.map(({ source, ...bind }) => ({ ...bind, source: source.replace(root, "") })),
    ).toEqual([
      ...["/bin", "/home", "/opt"].map((path) => {
        return { source: path, target: path, access: "rw", kind: "dir", isOptional: true };
      }),
      {
        source: "/nix/store",
        target: "/nix/store",
        access: "ro",
        kind: "dir",
        isOptional: true,
      },
    ]);
  });

  test("are those that the user may enter", () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "open"));
    mkdirSync(join(root, "root"));
    asOrdinaryUser(root, () => {
      chmodSync(root, 0o755);
    });
    chmodSync(join(root, "root"), 0);
    asOrdinaryUser(root, () => {
      const found = hostPathBinds({ all: true, paths: [] }, { file, root });
      expect(found.map(({ target }) => target)).toEqual(["/open"]);
    });
  });

  test("are not named twice when one of them is listed too", () => {
    const found = hostPathBinds({ all: true, paths: ["/home"] }, { file, root: host() });
    expect(found.map(({ target, isOptional }) => [target, isOptional])).toEqual([
      ["/bin", true],
      ["/opt", true],
      ["/nix/store", true],
      ["/home", false],
    ]);
  });
});

describe("a list of paths", () => {
  test("may hold files and directories, and what is Nix's is read-only", () => {
    const paths = ["/home/user/data", "/opt//tools/", "/nix/store/abc"];
    const found = hostPathBinds({ all: false, paths }, { file, root: host() });
    expect(found.map(({ target, kind, access }) => [target, kind, access])).toEqual([
      ["/home/user/data", "file", "rw"],
      ["/opt/tools", "dir", "rw"],
      ["/nix/store/abc", "file", "ro"],
    ]);
  });

  test.each([
    { path: "/gone", problem: "cannot mount /gone: no such file or directory" },
    { path: "/", problem: 'the mount target "/" is the root itself' },
    { path: "/home/../opt", problem: 'the mount target "/home/../opt" is not a plain path' },
  ])("may not hold $path, and the configuration is named", ({ path, problem }) => {
    const look = () => hostPathBinds({ all: false, paths: [path] }, { file, root: host() });
    expect(refusal(look)).toMatchObject({
      code: "CONFIG",
      message: `mount_paths of ${file}: ${problem}`,
    });
  });
});
