import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  createMountPoints,
  findClashes,
  makePlaces,
  planCreation,
} from "../../src/mountpoints/create.js";
import type { MountRequest } from "../../src/mountpoints/mount-point.js";
import { parseMountRequest, standardMountRequests } from "../../src/mountpoints/requests.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { contents, listing, modeOf, mtimeOf } from "../support/tree-contents.js";

const originalUmask = process.umask();

afterEach(() => {
  process.umask(originalUmask);
});

/** A rootfs on disk: `"/"` is a directory, `-> TARGET` a link, anything else a file's content. */
function rootfsOf(tree: Readonly<Record<string, string>>): string {
  const root = `${scratchDirectory()}/rootfs`;
  mkdirSync(root);
  for (const [path, what] of Object.entries(tree)) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    if (what === "/") mkdirSync(`${root}/${path}`, { recursive: true });
    else if (what.startsWith("-> ")) symlinkSync(what.slice(3), `${root}/${path}`);
    else writeFileSync(`${root}/${path}`, what);
  }
  return root;
}

function create(rootfs: string, requests: readonly string[], mayReplace = false) {
  return createMountPoints(rootfs, {
    requests: requests.map(parseMountRequest),
    mayReplace: () => mayReplace,
  });
}

describe("createMountPoints", () => {
  test("lets nobody write to them where only the owner may", () => {
    const root = rootfsOf({ etc: "/" });
    const requests = ["/tmp", "/var/tmp", "/f:file"].map(parseMountRequest);
    createMountPoints(root, { requests, mayReplace: () => false, isOwnersOnly: true });
    const modes = ["tmp", "var", "var/tmp", "f"].map((path) => modeOf(`${root}/${path}`) & 0o1022);
    expect(modes).toEqual([0, 0, 0, 0]);
  });

  test("gives an empty rootfs the standard set", () => {
    const rootfs = rootfsOf({});
    const requests = standardMountRequests({ workingDir: "/work", nixStore: true });
    const plan = createMountPoints(rootfs, { requests, mayReplace: () => false });
    expect(plan.clashes).toEqual([]);
    expect(contents(rootfs)).toEqual({
      dev: "/",
      etc: "/",
      "etc/group": "",
      "etc/hostname": "",
      "etc/hosts": "",
      "etc/passwd": "",
      "etc/resolv.conf": "",
      nix: "/",
      "nix/store": "/",
      proc: "/",
      run: "/",
      sys: "/",
      tmp: "/",
      var: "/",
      "var/tmp": "/",
      work: "/",
    });
    expect(plan.mountPoints.every(({ created }) => created)).toBe(true);
  });

  test.each([
    ["0000", 0o000],
    ["0022", 0o022],
    ["0077", 0o077],
    ["0777", 0o777],
  ])("gives the same modes with the umask %s", (_, umask) => {
    const rootfs = rootfsOf({});
    process.umask(umask);
    create(rootfs, ["/tmp:dir", "/var/tmp:dir", "/a/b:dir", "/a/f:file", "/opt/tmp:dir"]);
    process.umask(originalUmask);
    const modes = ["tmp", "var", "var/tmp", "a", "a/b", "a/f", "opt/tmp"].map((path) =>
      modeOf(rootfs, path).toString(8),
    );
    expect(modes).toEqual(["1777", "755", "1777", "755", "755", "644", "755"]);
  });

  test("in a rootfs whose directories hand their group down gives the same modes", () => {
    const rootfs = rootfsOf({ d: "/" });
    chmodSync(`${rootfs}/d`, 0o2755);
    create(rootfs, ["/d/a/b:dir", "/d/tmp:dir"]);
    expect([modeOf(rootfs, "d/a"), modeOf(rootfs, "d/a/b")]).toEqual([0o755, 0o755]);
  });

  test("leaves what is there already as it is, content, modes and times", () => {
    const rootfs = rootfsOf({ "etc/passwd": "root:x:0:0", tmp: "/", run: "/", "run/x": "y" });
    chmodSync(`${rootfs}/tmp`, 0o700);
    utimesSync(`${rootfs}/etc/passwd`, 7, 7);
    const before = listing(rootfs);
    create(rootfs, ["/etc/passwd:file", "/tmp:dir", "/run", "/run/x"]);
    expect(listing(rootfs)).toEqual(before);
  });

  test("keeps the times of the directories that it adds to, to the microsecond", () => {
    const rootfs = rootfsOf({ etc: "/", "etc/old": "-> nowhere", "var/x": "file" });
    for (const path of ["etc", "var", "."]) {
      utimesSync(`${rootfs}/${path}`, 1_600_000_000, 1_600_000_000.123457);
    }
    const before = ["", "etc", "var"].map((path) => mtimeOf(rootfs, path));
    create(rootfs, ["/etc/hosts:file", "/etc/old:dir", "/var/tmp:dir", "/data:dir"]);
    create(rootfs, ["/var/x:dir"], true);
    expect(["", "etc", "var"].map((path) => mtimeOf(rootfs, path))).toEqual(before);
  });

  test("keeps a time before 1970 too", () => {
    const rootfs = rootfsOf({ etc: "/" });
    utimesSync(`${rootfs}/etc`, new Date(-5000), new Date(-5000));
    create(rootfs, ["/etc/hosts:file"]);
    expect(mtimeOf(rootfs, "etc")).toBe(-5);
  });

  test("again does nothing more", () => {
    const rootfs = rootfsOf({ "var/run": "-> /run" });
    const requests = ["/var/run/x:dir", "/a/b:file", "/proc:dir"];
    create(rootfs, requests);
    const before = listing(rootfs);
    expect(create(rootfs, requests)).toMatchObject({ places: [], clashes: [] });
    expect(listing(rootfs)).toEqual(before);
  });

  test("replaces a dangling link, and does not make its target", () => {
    const rootfs = rootfsOf({ run: "/", "etc/resolv.conf": "-> ../run/systemd/resolve/stub.conf" });
    create(rootfs, ["/etc/resolv.conf:file"]);
    expect(contents(rootfs)).toEqual({ etc: "/", "etc/resolv.conf": "", run: "/" });
  });

  test("with a clash changes nothing at all", () => {
    const rootfs = rootfsOf({ "etc/hosts": "content", a: "-> nowhere" });
    const before = listing(rootfs);
    const plan = create(rootfs, ["/a:dir", "/b/c:dir", "/etc/hosts:dir"]);
    expect(plan.clashes).toEqual([{ path: "/etc/hosts", wanted: "dir" }]);
    expect(listing(rootfs)).toEqual(before);
  });

  test("replaces what may be replaced, with all below it", () => {
    const rootfs = rootfsOf({ "d/e/f": "x", "d/g": "y", f: "z" });
    create(rootfs, ["/d:file", "/f:dir"], true);
    expect(contents(rootfs)).toEqual({ d: "", f: "/" });
  });

  test("takes names that are no ASCII", () => {
    const rootfs = rootfsOf({ grün: "/" });
    const plan = create(rootfs, ["/grün/日本:dir"]);
    expect(plan.mountPoints).toMatchObject([{ target: "/grün/日本", path: "/grün/日本" }]);
    expect(statSync(`${rootfs}/grün/日本`).isDirectory()).toBe(true);
  });

  test("fails by name where there is no rootfs", () => {
    const rootfs = `${scratchDirectory()}/missing`;
    const error = refusal(() => create(rootfs, ["/a:dir"]));
    expect(error.message).toContain(`make the mount points in ${rootfs}`);
  });
});

describe("whatever the links of an image say, nothing outside its rootfs is touched", () => {
  const requests = [
    "/l:file",
    "/l/f:file",
    "/l/dir/x:dir",
    "/l/new/sub:dir",
    "/m/f:dir",
    "/m/l/x:file",
  ];
  const links: readonly (readonly [string, (out: string) => string])[] = [
    ["an absolute one", (out) => out],
    ["one with a slash at the end", (out) => `${out}/`],
    ["one that climbs", (out) => `../../../../../../../../..${out}`],
    ["one to a file", (out) => `${out}/f`],
    ["one to what is missing there", (out) => `${out}/new`],
    ["one to a link there", (out) => `${out}/link`],
    ["one through /proc", (out) => `/proc/self/root${out}`],
  ];

  test.each(links)("%s", (_, targetFor) => {
    const outside = scratchDirectory();
    mkdirSync(`${outside}/dir`);
    writeFileSync(`${outside}/f`, "canary");
    symlinkSync("dir", `${outside}/link`);
    lutimesSync(`${outside}/link`, 5, 5);
    const before = listing(outside);
    for (const request of requests) {
      for (const mayReplace of [false, true]) {
        const link = `-> ${targetFor(outside)}`;
        const rootfs = rootfsOf({ l: link, m: "-> l", "d/l": link });
        create(rootfs, [request, request.replace("/l", "/d/l")], mayReplace);
        for (const path of Object.keys(contents(rootfs))) {
          expect(contents(rootfs)[path]).not.toBe("canary");
        }
      }
    }
    expect(listing(outside)).toEqual(before);
  });

  test("nor what a replaced directory has links to", () => {
    const outside = scratchDirectory();
    writeFileSync(`${outside}/f`, "canary");
    const before = listing(outside);
    create(rootfsOf({ "d/l": `-> ${outside}`, "d/e/m": `-> ${outside}/f` }), ["/d:file"], true);
    expect(listing(outside)).toEqual(before);
  });
});

describe("makePlaces", () => {
  const tree = { "etc/hosts": "x", l: "-> /no", "old/a": "b", "old/c": "d" };
  const targets = ["/l/b:dir", "/etc/resolv.conf:file", "/old:file"].map(parseMountRequest);

  function planned() {
    const rootfs = rootfsOf(tree);
    for (const path of ["etc", "."]) utimesSync(`${rootfs}/${path}`, 5, 5.25);
    const plan = planCreation(rootfs, { requests: targets, mayReplace: () => true });
    return { rootfs, places: plan.places };
  }

  test.each<[string, (rootfs: string) => void]>([
    ["nothing was made", () => undefined],
    ["a link was removed", (rootfs) => unlinkSync(`${rootfs}/l`)],
    [
      "a directory has neither its mode nor its time",
      (rootfs) => {
        unlinkSync(`${rootfs}/l`);
        mkdirSync(`${rootfs}/l`, { mode: 0o700 });
      },
    ],
    ["a file has neither", (rootfs) => writeFileSync(`${rootfs}/etc/resolv.conf`, "")],
    ["a tree is removed in part", (rootfs) => unlinkSync(`${rootfs}/old/a`)],
    [
      "all was made",
      (rootfs) => createMountPoints(rootfs, { requests: targets, mayReplace: () => true }),
    ],
  ])("finishes what was begun, where %s", (_, begin) => {
    const whole = planned();
    makePlaces(whole.rootfs, whole.places);
    const { rootfs, places } = planned();
    begin(rootfs);
    makePlaces(rootfs, places);
    expect(contents(rootfs)).toEqual(contents(whole.rootfs));
    expect(["", "etc", "l", "l/b", "old"].map((path) => mtimeOf(rootfs, path))).toEqual(
      Array.from({ length: 5 }, () => 5.25),
    );
    expect(["l", "l/b", "old"].map((path) => modeOf(rootfs, path))).toEqual([0o755, 0o755, 0o644]);
  });

  test("makes nothing elsewhere where a directory has become a link", () => {
    const { rootfs, places } = planned();
    const outside = scratchDirectory();
    unlinkSync(`${rootfs}/etc/hosts`);
    rmdirSync(`${rootfs}/etc`);
    symlinkSync(outside, `${rootfs}/etc`);
    const error = refusal(() => makePlaces(rootfs, places));
    expect(error).toMatchObject({ code: "CACHE_DAMAGED" });
    expect(contents(outside)).toEqual({});
  });

  test("leaves a file alone that has another name elsewhere", () => {
    const { rootfs, places } = planned();
    const other = `${scratchDirectory()}/other`;
    writeFileSync(other, "content", { mode: 0o600 });
    linkSync(other, `${rootfs}/etc/resolv.conf`);
    makePlaces(rootfs, places);
    expect(statSync(other)).toMatchObject({ size: 7, nlink: 1 });
    expect(contents(rootfs)["etc/resolv.conf"]).toBe("");
  });
});

describe("findClashes", () => {
  const request = (target: string, kind: MountRequest["kind"]): MountRequest => ({ target, kind });

  test("tells what is in the way, and changes nothing", () => {
    const rootfs = rootfsOf({ "etc/hosts": "", tmp: "/", l: "-> tmp" });
    const before = listing(rootfs);
    const requests = [request("/etc/hosts", "dir"), request("/l", "file"), request("/x", "dir")];
    expect(findClashes(rootfs, { requests, mayReplace: () => false })).toEqual([
      { path: "/etc/hosts", wanted: "dir" },
      { path: "/tmp", wanted: "file" },
    ]);
    expect(findClashes(rootfs, { requests, mayReplace: () => true })).toEqual([]);
    expect(listing(rootfs)).toEqual(before);
  });
});
