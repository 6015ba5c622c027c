import { describe, expect, test } from "vitest";
import type { MountRequest } from "../../src/mountpoints/mount-point.js";
import { type Clash, planMountPoints, type Standing } from "../../src/mountpoints/plan.js";
import { refusal } from "../support/refusal.js";

/** A rootfs in memory: `"/"` is a directory, `"file"` a file, `-> TARGET` a link. */
type Tree = Readonly<Record<string, string>>;

function lookIn(tree: Tree) {
  return (path: string): Standing => {
    if (path === "") return { kind: "dir" };
    for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
      const above = Object.hasOwn(tree, path.slice(0, end)) ? tree[path.slice(0, end)] : undefined;
      if (above?.startsWith("->")) throw new Error(`looked through the link at ${path}`);
      if (above === undefined || above === "file") return { kind: "missing" };
    }
    const what = Object.hasOwn(tree, path) ? tree[path] : undefined;
    if (what === undefined) return { kind: "missing" };
    if (what.startsWith("-> ")) return { kind: "symlink", target: what.slice(3) };
    return { kind: what === "/" ? "dir" : "file" };
  };
}

function plan(tree: Tree, requests: readonly string[], mayReplace: readonly string[] = []) {
  const parsed = requests.map((text): MountRequest => {
    const [target = "", kind] = text.split(" ");
    return { target, kind: kind === "dir" || kind === "file" ? kind : "any" };
  });
  const isReplaceable = ({ path, wanted }: Clash) => mayReplace.includes(`${path} ${wanted}`);
  const made = planMountPoints(parsed, { look: lookIn(tree), mayReplace: isReplaceable });
  return {
    steps: made.steps.map(({ action, path }) => `${action} ${path}`),
    points: made.mountPoints.map((p) => {
      return `${p.target} at ${p.path} ${p.kind} ${p.created ? "made" : "found"}`;
    }),
    clashes: made.clashes.map(({ path, wanted }) => `${path} ${wanted}`),
  };
}

const base: Tree = { etc: "/", "etc/hosts": "file", tmp: "/", var: "/" };

describe("a target that the image has", () => {
  test.each([
    ["/tmp dir", "dir"],
    ["/etc/hosts file", "file"],
    ["/tmp", "dir"],
    ["/etc/hosts", "file"],
  ])("%s is left as it is", (request, kind) => {
    const target = request.split(" ")[0];
    expect(plan(base, [request])).toEqual({
      steps: [],
      points: [`${target} at ${target} ${kind} found`],
      clashes: [],
    });
  });
});

describe("a target that is missing", () => {
  test.each([
    ["/data dir", ["make directory data"]],
    ["/data", ["make directory data"]],
    ["/data file", ["make file data"]],
    ["/tmp/data file", ["make file tmp/data"]],
    ["/a/b/c dir", ["make directory a", "make directory a/b", "make directory a/b/c"]],
    ["/a/b/c file", ["make directory a", "make directory a/b", "make file a/b/c"]],
  ])("%s is made with its parents", (request, steps) => {
    const [target = "", kind = "dir"] = request.split(" ");
    expect(plan(base, [request])).toEqual({
      steps,
      points: [`${target} at ${target} ${kind} made`],
      clashes: [],
    });
  });

  test("is made once for several below it, parents first, whatever the order", () => {
    const found = plan(base, ["/a/b/c dir", "/a/b", "/a dir", "/a/x file"]);
    expect(found.steps.toSorted()).toEqual(
      [
        "make directory a",
        "make directory a/b",
        "make directory a/b/c",
        "make file a/x",
      ].toSorted(),
    );
    expect(found.steps.indexOf("make directory a")).toBe(0);
    expect(found.points.toSorted()).toEqual([
      "/a at /a dir made",
      "/a/b at /a/b dir made",
      "/a/b/c at /a/b/c dir made",
      "/a/x at /a/x file made",
    ]);
  });
});

describe("links on the way", () => {
  const cases: readonly (readonly [string, Tree, string, string])[] = [
    ["absolute", { run: "/", "var/run": "-> /run" }, "/var/run dir", "/run dir found"],
    ["relative", { run: "/", "var/run": "-> ../run" }, "/var/run dir", "/run dir found"],
    [
      "above what is missing",
      { run: "/", "var/run": "-> /run" },
      "/var/run/x dir",
      "/run/x dir made",
    ],
    ["in a chain", { a: "-> b", b: "-> /c", c: "-> tmp" }, "/a/x file", "/tmp/x file made"],
    [
      "one in the other",
      { a: "-> var/b", "var/b": "-> c", "var/c": "/" },
      "/a",
      "/var/c dir found",
    ],
    ["with . and ..", { a: "-> ./etc/.././tmp/." }, "/a/x dir", "/tmp/x dir made"],
    ["above the root", { a: "-> ../../../../tmp" }, "/a/x dir", "/tmp/x dir made"],
    ["through the root", { a: "-> /" }, "/a/tmp dir", "/tmp dir found"],
    ["to a file", { a: "-> etc/hosts" }, "/a file", "/etc/hosts file found"],
    ["to a file, of any kind", { a: "-> etc/hosts" }, "/a", "/etc/hosts file found"],
    ["below a directory", { "etc/l": "-> hosts" }, "/etc/l file", "/etc/hosts file found"],
  ];

  test.each(cases)("%s are followed inside the rootfs", (_, links, request, place) => {
    const [path = "", kind, how] = place.split(" ");
    const found = plan({ ...base, ...links }, [request]);
    expect(found.points).toEqual([`${request.split(" ")[0]} at ${path} ${kind} ${how}`]);
    const made = `make ${kind === "dir" ? "directory" : "file"} ${path.slice(1)}`;
    expect(found.steps).toEqual(how === "made" ? [made] : []);
  });
});

describe("links that lead nowhere", () => {
  const nowhere: readonly (readonly [string, Tree])[] = [
    ["dangles", { l: "-> missing" }],
    ["dangles absolutely", { l: "-> /run/missing" }],
    ["dangles at the end of a chain", { l: "-> m", m: "-> /missing" }],
    ["leads to itself", { l: "-> l" }],
    ["leads round in a circle", { l: "-> m", m: "-> /l" }],
    ["leads below itself", { l: "-> l/x" }],
    ["leads below a file", { l: "-> etc/hosts/x" }],
    ["leads through a missing directory and back", { l: "-> missing/../tmp" }],
    [
      "is one of fifty in a row",
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i ? `l${i}` : "l", `-> l${i + 1}`])),
    ],
  ];

  test.each(nowhere)("one that %s gives way to the real thing", (_, links) => {
    const found = plan({ ...base, ...links }, ["/l file"]);
    expect(found).toEqual({
      steps: ["remove l", "make file l"],
      points: ["/l at /l file made"],
      clashes: [],
    });
  });

  test.each(nowhere)("one in the middle that %s gives way to a directory", (_, links) => {
    const found = plan({ ...base, ...links }, ["/l/x dir", "/l/y file"]);
    expect(found.steps).toEqual([
      "remove l",
      "make directory l",
      "make directory l/x",
      "make file l/y",
    ]);
  });

  test("a link to the root is no place to mount on, and gives way to the real thing", () => {
    for (const link of ["/", "..", "/.", "../..", "tmp/.."]) {
      expect(plan({ ...base, l: `-> ${link}` }, ["/l dir"])).toEqual({
        steps: ["remove l", "make directory l"],
        points: ["/l at /l dir made"],
        clashes: [],
      });
    }
  });
});

describe("a place of another kind", () => {
  const clashes: readonly (readonly [string, Tree, string, string])[] = [
    ["a file for a directory", {}, "/etc/hosts dir", "/etc/hosts dir"],
    ["a directory for a file", {}, "/tmp file", "/tmp file"],
    ["a link to a file for a directory", { l: "-> etc/hosts" }, "/l dir", "/etc/hosts dir"],
    ["a link to a directory for a file", { l: "-> tmp" }, "/l file", "/tmp file"],
    ["a file as a parent", {}, "/etc/hosts/x dir", "/etc/hosts dir"],
    ["a link to a file as a parent", { l: "-> etc/hosts" }, "/l/x file", "/etc/hosts dir"],
  ];

  test.each(clashes)("is reported: %s", (_, links, request, clash) => {
    expect(plan({ ...base, ...links }, [request]).clashes).toEqual([clash]);
  });

  test.each(clashes)("is replaced where it may be: %s", (_, links, request, clash) => {
    const found = plan({ ...base, ...links }, [request], [clash]);
    const [path = "", kind] = clash.slice(1).split(" ");
    expect(found.clashes).toEqual([]);
    const made = `make ${kind === "dir" ? "directory" : "file"} ${path}`;
    expect(found.steps.slice(0, 2)).toEqual([`remove ${path}`, made]);
  });

  test("may be replaced for the kind that is named alone", () => {
    expect(plan(base, ["/tmp file"], ["/tmp dir", "/var file"]).clashes).toEqual(["/tmp file"]);
  });

  test("that is replaced has nothing below it any more", () => {
    const tree = { ...base, "tmp/x": "file", "tmp/y": "-> /etc" };
    const found = plan(tree, ["/tmp file", "/var/z dir"], ["/tmp file"]);
    expect(found.steps).toEqual(["remove tmp", "make file tmp", "make directory var/z"]);
  });

  test("is no clash where any kind will do", () => {
    expect(plan(base, ["/etc/hosts", "/tmp"])).toMatchObject({ steps: [], clashes: [] });
  });
});

describe("several requests for one place", () => {
  test("of the same kind are one", () => {
    expect(plan(base, ["/a dir", "/a dir", "/a"])).toEqual({
      steps: ["make directory a"],
      points: ["/a at /a dir made"],
      clashes: [],
    });
  });

  test("of which one takes any kind have the other's, in either order", () => {
    for (const requests of [
      ["/a", "/a file"],
      ["/a file", "/a"],
    ]) {
      expect(plan(base, requests).points).toEqual(["/a at /a file made"]);
    }
  });

  test("by different names are one place", () => {
    const tree = { ...base, run: "/", "var/run": "-> /run" };
    expect(plan(tree, ["/run/x dir", "/var/run/x dir"])).toEqual({
      steps: ["make directory run/x"],
      points: ["/run/x at /run/x dir made", "/var/run/x at /run/x dir made"],
      clashes: [],
    });
  });

  const excluding: readonly (readonly [string, Tree, readonly string[]])[] = [
    ["a missing target of both kinds", {}, ["/a dir", "/a file"]],
    ["a directory of the image of both kinds", {}, ["/tmp dir", "/tmp file"]],
    ["a file of the image of both kinds", {}, ["/etc/hosts dir", "/etc/hosts file"]],
    ["a file and what lies below it, both missing", {}, ["/a file", "/a/b dir"]],
    ["a file of the image and what lies below it", {}, ["/etc/hosts file", "/etc/hosts/x dir"]],
    ["a directory of the image as a file, and what lies below", {}, ["/tmp file", "/tmp/x dir"]],
    ["the same, where what lies below is there", { "tmp/x": "/" }, ["/tmp file", "/tmp/x dir"]],
    ["one place by two names", { a: "-> /tmp" }, ["/a dir", "/tmp file"]],
    ["what lies below another name", { a: "-> /tmp/b", "tmp/b": "/" }, ["/a/c dir", "/tmp/b file"]],
  ];

  test.each(excluding)("are refused where they exclude each other: %s", (_, links, requests) => {
    const tree = { ...base, ...links };
    for (const order of [requests, requests.toReversed()]) {
      const all = ["/tmp", "/etc/hosts", "/tmp/b"].flatMap((p) => [`${p} dir`, `${p} file`]);
      for (const mayReplace of [[], all]) {
        const error = refusal(() => plan(tree, order, mayReplace));
        expect(error.code).toBe("USAGE");
        expect(error.hint).toBeDefined();
      }
    }
  });

  test("a link that leads below what is replaced gives way too", () => {
    const tree = { ...base, z: "-> /tmp/b", "tmp/b": "/" };
    const steps = [
      "remove tmp",
      "make file tmp",
      "remove z",
      "make directory z",
      "make directory z/c",
    ];
    const requests = ["/tmp file", "/z/c dir"];
    expect(plan(tree, requests, ["/tmp file"])).toMatchObject({ steps, clashes: [] });
    expect(plan(tree, requests)).toMatchObject({ steps, clashes: ["/tmp file"] });
  });

  test("a file of the image of any kind yields to a directory below it, where it may", () => {
    const requests = ["/etc/hosts", "/etc/hosts/x dir"];
    expect(plan(base, requests).clashes).toEqual(["/etc/hosts dir"]);
    const replaced = plan(base, requests, ["/etc/hosts dir"]);
    expect(replaced.points.toSorted()).toEqual([
      "/etc/hosts at /etc/hosts dir made",
      "/etc/hosts/x at /etc/hosts/x dir made",
    ]);
  });
});

describe("names", () => {
  test("that are no ASCII are bytes for the rootfs and text for the user", () => {
    const bytes = Buffer.from("grün", "utf8").toString("latin1");
    const found = plan({ ...base, [bytes]: "/" }, ["/grün/x dir"]);
    expect(found.steps).toEqual([`make directory ${bytes}/x`]);
    expect(found.points).toEqual(["/grün/x at /grün/x dir made"]);
  });

  test("that a link holds and that are no UTF-8 are refused: runtimes take text", () => {
    const error = refusal(() => plan({ ...base, l: "-> \xff", "\xff": "/" }, ["/l/x dir"]));
    expect(error.code).toBe("IMAGE_UNSUPPORTED");
    expect(error.message).toContain("/\\xff/x");
  });

  test("that mean something to JavaScript are names", () => {
    expect(plan({}, ["/__proto__/x dir", "/constructor file"]).steps.toSorted()).toEqual([
      "make directory __proto__",
      "make directory __proto__/x",
      "make file constructor",
    ]);
  });

  test("in a message are fit for a terminal", () => {
    const error = refusal(() => plan({}, ["/a\n\x1b[2J dir", "/a\n\x1b[2J file"]));
    expect(error.message).toContain("\\x0a");
  });
});

test("nothing is planned for no requests", () => {
  expect(plan(base, [])).toEqual({ steps: [], points: [], clashes: [] });
});
