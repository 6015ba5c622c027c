import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  loadRegistriesConf,
  type RegistriesConfOptions,
} from "../../../src/oci/registry/registries-conf.js";
import { refusal } from "../../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../../support/scratch-directory.js";

/** A machine with these files, by their path in it, and what is loaded on it. */
function machine(files: Readonly<Record<string, string>>) {
  const root = scratchDirectory();
  for (const [path, content] of Object.entries(files)) write(join(root, path), content);
  const places = {
    user: join(root, "user"),
    system: join(root, "etc"),
    docker: join(root, "docker"),
    cache: join(root, "cache"),
  };
  const load = (options: Partial<RegistriesConfOptions> = {}) =>
    loadRegistriesConf({
      file: undefined,
      environment: {},
      places,
      withRecordedAliases: false,
      ...options,
    });
  return { root, load };
}

function write(path: string, content: string) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A file that can be told by the search registry that it sets. */
function search(host: string) {
  return `unqualified-search-registries = ["${host}"]\n`;
}

const nothing = {
  registries: [],
  searchRegistries: undefined,
  shortNameMode: "permissive",
  aliases: new Map(),
};

describe("loadRegistriesConf", () => {
  it("is empty on a machine without any file", () => {
    expect(machine({}).load()).toEqual(nothing);
  });

  it.each([
    { of: "the machine's file", files: { "etc/registries.conf": "etc.io" }, from: "etc.io" },
    {
      of: "the user's file before the machine's",
      files: { "etc/registries.conf": "etc.io", "user/registries.conf": "user.io" },
      from: "user.io",
    },
    {
      of: "the machine's drop-ins after its file",
      files: { "etc/registries.conf": "etc.io", "etc/registries.conf.d/a.conf": "a.io" },
      from: "a.io",
    },
    {
      of: "drop-ins without a file",
      files: { "etc/registries.conf.d/a.conf": "a.io" },
      from: "a.io",
    },
    {
      of: "drop-ins in the order of their names",
      files: {
        "etc/registries.conf.d/10.conf": "ten.io",
        "etc/registries.conf.d/9.conf": "nine.io",
        "etc/registries.conf.d/1.conf": "one.io",
      },
      from: "nine.io",
    },
    {
      of: "the user's drop-ins after the machine's",
      files: { "etc/registries.conf.d/z.conf": "z.io", "user/registries.conf.d/a.conf": "a.io" },
      from: "a.io",
    },
    {
      of: "the user's file without the machine's drop-ins",
      files: { "etc/registries.conf.d/z.conf": "z.io", "user/registries.conf": "user.io" },
      from: "user.io",
    },
    {
      of: "no file that is not called .conf",
      files: { "etc/registries.conf": "etc.io", "etc/registries.conf.d/a.conf.bak": "a.io" },
      from: "etc.io",
    },
  ])("has the word of $of", ({ files, from }) => {
    const contents = Object.entries(files).map(([path, host]) => [path, search(host)] as const);
    const conf = machine(Object.fromEntries(contents)).load();
    expect(conf.searchRegistries?.value).toEqual([from]);
  });

  it("says which file a value is from", () => {
    const { root, load } = machine({
      "etc/registries.conf": search("etc.io"),
      "etc/registries.conf.d/a.conf": '[aliases]\nx = "a.io/x"\n[[registry]]\nlocation = "b.io"',
    });
    const conf = load();
    const dropIn = join(root, "etc/registries.conf.d/a.conf");
    expect(conf.searchRegistries?.file).toBe(join(root, "etc/registries.conf"));
    expect(conf.aliases.get("x")).toEqual({ value: "a.io/x", file: dropIn });
    expect(conf.registries[0]?.file).toBe(dropIn);
  });

  it("merges tables by their prefix, each as a whole, and sorts them", () => {
    const { load } = machine({
      "etc/registries.conf": `
        [[registry]]
        prefix = "b.io"
        location = "old.net"
        insecure = true
        [[registry.mirror]]
        location = "mirror.net"
        [[registry]]
        location = "c.io"
      `,
      "etc/registries.conf.d/a.conf": `
        [[registry]]
        prefix = "b.io"
        location = "new.net"
        [[registry]]
        location = "a.io"
      `,
    });
    expect(load().registries).toMatchObject([
      { prefix: "a.io" },
      { prefix: "b.io", location: "new.net", isInsecure: false, mirrors: [] },
      { prefix: "c.io" },
    ]);
  });

  it("lets later files set, change and erase aliases and the mode", () => {
    const { load } = machine({
      "etc/registries.conf":
        'short-name-mode = "disabled"\n[aliases]\na="x.io/a"\nb="x.io/b"\nc="x.io/c"',
      "etc/registries.conf.d/1.conf":
        'short-name-mode = "enforcing"\n[aliases]\nb = "y.io/b"\nc = ""',
      "etc/registries.conf.d/2.conf": "",
    });
    const { aliases, shortNameMode } = load();
    expect([...aliases].map(([name, { value }]) => [name, value])).toEqual([
      ["a", "x.io/a"],
      ["b", "y.io/b"],
    ]);
    expect(shortNameMode).toBe("enforcing");
  });

  it("lets an empty list of search registries stand", () => {
    const { load } = machine({
      "etc/registries.conf": search("etc.io"),
      "etc/registries.conf.d/a.conf": "unqualified-search-registries = []",
    });
    expect(load().searchRegistries?.value).toEqual([]);
  });

  describe("with a file that was asked for", () => {
    const files = {
      "etc/registries.conf": search("etc.io"),
      "user/registries.conf.d/a.conf": search("a.io"),
      "one.conf": search("one.io"),
      "two.conf": search("two.io"),
      "over.conf": '[aliases]\nx = "over.io/x"',
      "cache/short-name-aliases.conf": '[aliases]\ny = "cache.io/y"',
    };

    it("reads that of --registries-conf and no other", () => {
      const { root, load } = machine(files);
      const conf = load({
        file: join(root, "one.conf"),
        environment: {
          CONTAINERS_REGISTRIES_CONF: join(root, "two.conf"),
          CONTAINERS_REGISTRIES_CONF_OVERRIDE: join(root, "over.conf"),
        },
        withRecordedAliases: true,
      });
      expect(conf.searchRegistries?.value).toEqual(["one.io"]);
      expect(conf.aliases.size).toBe(0);
    });

    it("reads that of CONTAINERS_REGISTRIES_CONF, and the override after it", () => {
      const { root, load } = machine(files);
      const conf = load({
        environment: {
          CONTAINERS_REGISTRIES_CONF: join(root, "two.conf"),
          CONTAINERS_REGISTRIES_CONF_OVERRIDE: join(root, "over.conf"),
        },
        withRecordedAliases: true,
      });
      expect(conf.searchRegistries?.value).toEqual(["two.io"]);
      expect([...conf.aliases.keys()]).toEqual(["x"]);
    });

    it("reads the override after the files that are there", () => {
      const { root, load } = machine(files);
      const conf = load({
        environment: { CONTAINERS_REGISTRIES_CONF_OVERRIDE: join(root, "over.conf") },
      });
      expect(conf.searchRegistries?.value).toEqual(["a.io"]);
      expect([...conf.aliases.keys()]).toEqual(["x"]);
    });

    it("takes an empty variable for none", () => {
      const environment = {
        CONTAINERS_REGISTRIES_CONF: "",
        CONTAINERS_REGISTRIES_CONF_OVERRIDE: "",
      };
      expect(machine(files).load({ environment }).searchRegistries?.value).toEqual(["a.io"]);
    });

    it.each([
      { asker: "--registries-conf", options: { file: "/nowhere/r.conf" } },
      ...["CONTAINERS_REGISTRIES_CONF", "CONTAINERS_REGISTRIES_CONF_OVERRIDE"].map((asker) => ({
        asker,
        options: { environment: { [asker]: "/nowhere/r.conf" } },
      })),
    ])("refuses a missing one, which $asker names", ({ asker, options }) => {
      expect(refusal(() => machine(files).load(options))).toMatchObject({
        code: "CONFIG",
        message: `/nowhere/r.conf, which ${asker} names, is not there`,
        hint: expect.stringContaining(asker),
      });
    });
  });

  describe("with the aliases that podman wrote down", () => {
    const files = {
      "etc/registries.conf": '[aliases]\nx = "etc.io/x"\ny = "etc.io/y"',
      "cache/short-name-aliases.conf": `${search("cache.io")}[aliases]\nx = "cache.io/x"\ny = ""`,
    };

    it("has their word before that of other files, on aliases only", () => {
      const { aliases, searchRegistries } = machine(files).load({ withRecordedAliases: true });
      expect([...aliases].map(([name, { value }]) => [name, value])).toEqual([["x", "cache.io/x"]]);
      expect(searchRegistries).toBeUndefined();
    });

    it("does not look at them unasked", () => {
      const { aliases } = machine(files).load();
      expect([...aliases.values()].map(({ value }) => value)).toEqual(["etc.io/x", "etc.io/y"]);
    });
  });

  it("passes over a drop-in that is a link to nothing", () => {
    const { root, load } = machine({ "etc/registries.conf.d/a.conf": search("a.io") });
    symlinkSync("/nowhere", join(root, "etc/registries.conf.d/b.conf"));
    expect(load().searchRegistries?.value).toEqual(["a.io"]);
  });

  it.each(["etc/registries.conf", "etc/registries.conf.d/a.conf"])(
    "refuses a wrong %s by its name",
    (path) => {
      const { root, load } = machine({ [path]: "registry = 1" });
      const error = refusal(() => load());
      expect(error.code).toBe("CONFIG");
      expect(error.message.startsWith(`${join(root, path)}: `)).toBe(true);
    },
  );

  it("refuses a file that is not UTF-8", () => {
    const { root, load } = machine({ "etc/other": "" });
    writeFileSync(join(root, "etc/registries.conf"), Buffer.from([0x23, 0xff]));
    expect(refusal(() => load())).toMatchObject({
      code: "CONFIG",
      message: `${join(root, "etc/registries.conf")} is not UTF-8`,
    });
  });

  it("refuses a directory in the place of a file", () => {
    const { root, load } = machine({ "etc/registries.conf/a": "" });
    expect(refusal(() => load())).toMatchObject({
      code: "CONFIG",
      message: `cannot read ${join(root, "etc/registries.conf")}: it is a directory`,
    });
  });

  it("refuses a file that may not be read", () => {
    const { root, load } = machine({ "etc/registries.conf": "" });
    const path = join(root, "etc/registries.conf");
    chmodSync(path, 0);
    asOrdinaryUser(root, () => {
      expect(refusal(() => load())).toMatchObject({
        code: "CONFIG",
        message: `cannot read ${path}: permission denied`,
      });
    });
  });
});
