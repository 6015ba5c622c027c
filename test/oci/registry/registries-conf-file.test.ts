import { describe, expect, it } from "vitest";
import { parseRegistriesConf } from "../../../src/oci/registry/registries-conf-file.js";
import { refusal } from "../../support/refusal.js";

const file = "/etc/containers/registries.conf";

function parse(toml: string) {
  return parseRegistriesConf(toml, file);
}

const plain = {
  location: undefined,
  isInsecure: false,
  isBlocked: false,
  mirrors: [],
  proxy: undefined,
  file,
};

describe("parseRegistriesConf", () => {
  it("says nothing of what an empty file does not speak of", () => {
    expect(parse("# nothing")).toEqual({
      file,
      registries: [],
      searchRegistries: undefined,
      shortNameMode: undefined,
      aliases: new Map(),
    });
  });

  it("reads what the man page describes", () => {
    const conf = parse(`
      unqualified-search-registries = ["Example.com", "localhost:5000"]
      short-name-mode = "enforcing"

      [[registry]]
      prefix = "example.com/foo/"
      insecure = true
      blocked = true
      location = "internal.example.net/bar"
      proxy = "http://proxy.example.net:3128"

      [[registry.mirror]]
      location = "mirror-0.local/foo"

      [[registry.mirror]]
      location = "mirror-1.local/foo"
      insecure = true
      pull-from-mirror = "tag-only"

      [aliases]
      "fedora" = "registry.fedoraproject.org/fedora"
      "team/tool" = ""
    `);
    expect(conf).toEqual({
      file,
      registries: [
        {
          prefix: "example.com/foo",
          location: "internal.example.net/bar",
          isInsecure: true,
          isBlocked: true,
          proxy: new URL("http://proxy.example.net:3128"),
          mirrors: [
            { location: "mirror-0.local/foo", isInsecure: false, pulls: "all", proxy: undefined },
            { location: "mirror-1.local/foo", isInsecure: true, pulls: "tag-only" },
          ],
          file,
        },
      ],
      searchRegistries: ["example.com", "localhost:5000"],
      shortNameMode: "enforcing",
      aliases: new Map([
        ["fedora", "registry.fedoraproject.org/fedora"],
        ["team/tool", ""],
      ]),
    });
  });

  it("passes over keys that are other programs'", () => {
    const toml = `
      credential-helpers = ["containers-auth.json"]
      [registries]
      other = 1
      [[registry]]
      location = "example.com"
      future = { a = 1 }
    `;
    const { registries } = parse(toml);
    expect(registries).toEqual([{ ...plain, prefix: "example.com", location: "example.com" }]);
  });

  it("keeps names as they are below a prefix without a location", () => {
    const { registries } = parse('[[registry]]\nprefix = "*.example.com"\nlocation = ""');
    expect(registries).toEqual([{ ...plain, prefix: "*.example.com" }]);
  });

  it("has mirror-by-digest-only for each of the mirrors", () => {
    const { registries } = parse(`
      [[registry]]
      location = "example.com"
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "a.local"
      [[registry.mirror]]
      location = "b.local"
      pull-from-mirror = ""
    `);
    expect(registries[0]?.mirrors.map(({ pulls }) => pulls)).toEqual([
      "digest-only",
      "digest-only",
    ]);
  });

  it("takes the first of two tables with the same prefix", () => {
    const { registries } = parse(`
      [[registry]]
      prefix = "example.com"
      location = "first.net"
      [[registry]]
      prefix = "example.com"
      location = "second.net"
    `);
    expect(registries.map(({ location }) => location)).toEqual(["first.net"]);
  });

  it.each(["search", "insecure", "block"])("refuses version 1 with [registries.%s]", (table) => {
    const error = refusal(() => parse(`[registries.${table}]\nregistries = ["docker.io"]`));
    expect(error).toMatchObject({
      code: "CONFIG",
      message: `${file}: [registries.${table}] is version 1 of the format, which is not supported`,
      hint: expect.stringContaining("version 2"),
    });
  });

  const registry = '[[registry]]\nlocation = "example.com"\n';
  const mirror = `${registry}[[registry.mirror]]\n`;
  it.each([
    { fault: "what is no TOML", toml: "\na = = 1", says: "line 2: " },
    { fault: "a key twice", toml: '[aliases]\na="b.io/a"\na="c.io/a"', says: "line 3: " },
    { fault: "a wrong type", toml: "registry = 1", says: "registry: should be Array" },
    { fault: "a wrong flag", toml: `${registry}insecure = "yes"`, says: "registry.0.insecure: " },
    { fault: "a table that names nothing", toml: "[[registry]]", says: "neither a prefix nor" },
    {
      fault: "a location with a scheme",
      toml: '[[registry]]\nlocation = "https://example.com"',
      says: '"https://example.com": it should have no scheme',
    },
    {
      fault: "a wildcard with a path",
      toml: '[[registry]]\nprefix = "*.example.com/a"',
      says: "a wildcard should be like",
    },
    {
      fault: "a rule for mirrors on the registry itself",
      toml: `${registry}pull-from-mirror = "all"`,
      says: 'registry "example.com": pull-from-mirror belongs into [[registry.mirror]]',
    },
    { fault: "a mirror without a location", toml: mirror, says: "a mirror has no location" },
    {
      fault: "an unknown rule for a mirror",
      toml: `${mirror}location = "a.local"\npull-from-mirror = "never"`,
      says: 'pull-from-mirror: should be one of "all", "digest-only", "tag-only"',
    },
    {
      fault: "two rules for one mirror",
      toml: `${registry}mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "a.local"\npull-from-mirror = "all"`,
      says: "has both mirror-by-digest-only and pull-from-mirror",
    },
    {
      fault: "a place that is both insecure and not",
      toml: `${registry}insecure = true\n[[registry]]\nprefix = "b.com"\nlocation = "example.com"`,
      says: 'registry "example.com" is there twice, and they differ in insecure',
    },
    {
      fault: "a place that is both blocked and not",
      toml: `${registry}${registry}blocked = true`,
      says: 'registry "example.com" is there twice, and they differ in blocked',
    },
    {
      fault: "a search registry without a dot",
      toml: 'unqualified-search-registries = ["docker"]',
      says: '"docker": it should begin with HOST[:PORT]',
    },
    {
      fault: "a search registry with a path",
      toml: 'unqualified-search-registries = ["docker.io/library"]',
      says: '"docker.io/library" should be HOST[:PORT]',
    },
    { fault: "an unknown mode", toml: 'short-name-mode = "ask"', says: "short-name-mode: should" },
    {
      fault: "an alias with a host",
      toml: '[aliases]\n"a.io/b" = "c.io/b"',
      says: 'alias "a.io/b" is no short name',
    },
    {
      fault: "an alias with a tag",
      toml: '[aliases]\n"b:1" = "c.io/b"',
      says: 'alias "b:1" is no short name',
    },
    {
      fault: "an alias for a name without a host",
      toml: '[aliases]\nb = "library/b"',
      says: 'alias "b": "library/b" does not begin with a host',
    },
    {
      fault: "an alias for a tag",
      toml: '[aliases]\nb = "c.io/b:1"',
      says: 'alias "b": "c.io/b:1" has a tag or a digest',
    },
    { fault: "an alias for no name", toml: '[aliases]\nb = "c.io/B"', says: '"B" is no name' },
    {
      fault: "a proxy that is no URL",
      toml: `${registry}proxy = "http://:"`,
      says: 'the proxy of "example.com" is no URL',
    },
  ])("refuses $fault, and names file and place", ({ toml, says }) => {
    const error = refusal(() => parse(toml));
    expect(error.code).toBe("CONFIG");
    expect(error.message.startsWith(`${file}: `)).toBe(true);
    expect(error.message).toContain(says);
    expect(error.hint).toContain("--registries-conf");
  });

  it("keeps a proxy's password to itself", () => {
    const toml = `${registry}proxy = "socks5://me:secret@proxy.example.net"`;
    const error = refusal(() => parse(toml));
    expect(error.message).toContain("socks5:");
    expect(`${error.message} ${error.hint}`).not.toContain("secret");
  });

  it("shows no more of a file that is no TOML than the place", () => {
    const error = refusal(() => parse('password = "secret'));
    expect(error.message).toContain("line 1");
    expect(error.message).not.toContain("secret");
  });
});
