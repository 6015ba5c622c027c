import { describe, expect, test } from "vitest";
import { file, hardLink, symlink } from "../support/layers.js";
import { checkAim } from "./check-aim.js";

const site = {
  aim: { out: "/tmp/s/outside", at: "tmp/s/outside" },
  inner: "/tmp/s/inner",
  canary: { check: () => undefined },
};

describe("an attack may aim", () => {
  test.each([
    ["at the site, by an absolute link", symlink("l", "/tmp/s/outside/f")],
    ["at the site, by a link that climbs", symlink("d/l", "../../../outside")],
    ["at the site by way of the host's root", symlink("l", "../../../../../../tmp/s/outside")],
    ["at the site by way of /proc", symlink("l", "/proc/self/root/tmp/s/outside")],
    ["at the site, by a hard link", hardLink("h", "../f")],
    ["at a file of its own", file("d/f")],
  ])("%s", (_, entry) => {
    expect(() => checkAim({ layers: [[entry]], ends: {} }, site)).not.toThrow();
  });
});

describe("an attack may not aim", () => {
  test.each([
    ["at the host's root", symlink("l", "/")],
    ["at the host's root, climbing", symlink("l", "../../../..")],
    ["at a file of the host", symlink("l", "/etc/passwd")],
    ["at another site", symlink("l", "/tmp/s2/f")],
    ["at the working directory, which changes", symlink("l", "/proc/self/cwd")],
    ["at a file of the host, by a hard link", hardLink("h", "/etc/passwd")],
    ["at a file of the host, by its own name", file("/etc/passwd")],
    ["above the site, by its own name", file("../../../f")],
  ])("%s", (_, entry) => {
    const attack = { layers: [[file("x")], [entry]], ends: {} };
    expect(() => checkAim(attack, site)).toThrow("leads to the host");
  });
});
