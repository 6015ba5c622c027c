import { join } from "node:path";
import { expect, test } from "vitest";
import { nameServiceMounts } from "../../../src/launch/grants/name-service.js";
import { writeFiles } from "../../support/file-set.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

test("name resolution takes the host's files, by their real names", () => {
  const root = writeFiles(
    scratchDirectory(),
    new Map<string, string | { symlink: string }>([
      ["run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n"],
      ["etc/resolv.conf", { symlink: "../run/systemd/resolve/stub-resolv.conf" }],
      ["etc/hosts", "127.0.0.1 localhost\n"],
      ["etc/nsswitch.conf", "hosts: files resolve\n"],
    ]),
  );
  expect(nameServiceMounts(root)).toEqual([
    {
      type: "bind",
      source: join(root, "run/systemd/resolve/stub-resolv.conf"),
      target: "/etc/resolv.conf",
      access: "ro",
    },
    { type: "bind", source: join(root, "etc/hosts"), target: "/etc/hosts", access: "ro" },
  ]);
});

test("what is missing, leads nowhere or is no file is left out", () => {
  const root = writeFiles(
    scratchDirectory(),
    new Map<string, string | { symlink: string }>([
      ["etc/resolv.conf", { symlink: "/nowhere/resolv.conf" }],
      ["etc/hosts/directory", ""],
    ]),
  );
  expect(nameServiceMounts(root)).toEqual([]);
});
