import { describe, expect, it } from "vitest";
import { type EndpointsOptions, endpointsFor } from "../../../src/oci/registry/endpoints.js";
import { mergeRegistriesConf } from "../../../src/oci/registry/registries-conf.js";
import { parseRegistriesConf } from "../../../src/oci/registry/registries-conf-file.js";
import {
  formatRegistryReference,
  parseRegistryReference,
} from "../../../src/oci/registry/repository.js";
import { refusal } from "../../support/refusal.js";

const file = "/etc/containers/registries.conf";
const digest = `sha256:${"0".repeat(64)}`;

function ask(reference: string, toml: string, options?: EndpointsOptions) {
  const conf = mergeRegistriesConf([parseRegistriesConf(toml, file)]);
  return endpointsFor(parseRegistryReference(reference), conf, options);
}

/** What is asked for where, in order. */
function places(reference: string, toml: string) {
  return ask(reference, toml).map(formatRegistryReference);
}

describe("endpointsFor", () => {
  it("asks the registry itself where nothing is configured", () => {
    expect(ask(`example.com:5000/a/b:1@${digest}`, "")).toEqual([
      {
        registry: "example.com:5000",
        host: "example.com:5000",
        repository: "a/b",
        tag: "1",
        digest,
        isInsecure: false,
        isMirror: false,
        proxy: undefined,
      },
    ]);
  });

  it.each([
    { of: "the image's name", reference: "debian", toml: "" },
    {
      of: "a location",
      reference: "example.com/debian",
      toml: '[[registry]]\nprefix = "example.com"\nlocation = "docker.io/library"',
    },
  ])("reaches Docker Hub by its other host, from $of", ({ reference, toml }) => {
    expect(ask(reference, toml)).toMatchObject([
      { registry: "docker.io", host: "registry-1.docker.io", repository: "library/debian" },
    ]);
  });

  it("asks mirrors in their order, then the location, each with its own settings", () => {
    const toml = `
      [[registry]]
      prefix = "example.com/foo"
      location = "internal.net/bar"
      insecure = true
      proxy = "http://other.local:3128"
      [[registry.mirror]]
      location = "mirror-0.local/for-foo"
      proxy = "http://proxy.local:3128"
      [[registry.mirror]]
      location = "mirror-1.local:5000/foo"
      insecure = true
    `;
    const endpoints = ask("example.com/foo/image:1", toml);
    expect(endpoints.map(({ proxy }) => proxy?.href)).toEqual([
      "http://proxy.local:3128/",
      undefined,
      "http://other.local:3128/",
    ]);
    expect(endpoints).toMatchObject([
      {
        registry: "mirror-0.local",
        repository: "for-foo/image",
        tag: "1",
        isInsecure: false,
        isMirror: true,
      },
      {
        registry: "mirror-1.local:5000",
        host: "mirror-1.local:5000",
        repository: "foo/image",
        isInsecure: true,
        isMirror: true,
      },
      {
        registry: "internal.net",
        repository: "bar/image",
        tag: "1",
        isInsecure: true,
        isMirror: false,
      },
    ]);
  });

  const moves = (prefix: string, location: string) =>
    `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`;

  it.each([
    {
      rule: "a host",
      from: "example.com/a/b:1",
      toml: moves("example.com", "other.net"),
      to: "other.net/a/b:1",
    },
    {
      rule: "a host by a namespace",
      from: "example.com/a/b:1",
      toml: moves("example.com", "other.net/proxy"),
      to: "other.net/proxy/a/b:1",
    },
    {
      rule: "a repository",
      from: "example.com/a/b:1",
      toml: moves("example.com/a/b", "other.net/c"),
      to: "other.net/c:1",
    },
    {
      rule: "nothing of a name that only begins alike",
      from: "example.com/ab:1",
      toml: moves("example.com/a", "other.net/c"),
      to: "example.com/ab:1",
    },
    {
      rule: "a host but not its port",
      from: "example.com:5000/a:1",
      toml: moves("example.com", "other.net"),
      to: "other.net:5000/a:1",
    },
    {
      rule: "only the beginning",
      from: "example.com/x/example.com/x:1",
      toml: moves("example.com/x", "other.net"),
      to: "other.net/example.com/x:1",
    },
    {
      rule: "a digest's name, and keeps the digest",
      from: `example.com/a@${digest}`,
      toml: moves("example.com/a", "other.net/b"),
      to: `other.net/b@${digest}`,
    },
    {
      rule: "a name with its tag by another",
      from: "example.com/a:1",
      toml: moves("example.com/a:1", "other.net/b:2"),
      to: "other.net/b:2",
    },
    {
      rule: "a name with its tag by a name without",
      from: "example.com/a:1",
      toml: moves("example.com/a:1", "other.net/b"),
      to: "other.net/b:1",
    },
    {
      rule: "no other tag",
      from: "example.com/a:10",
      toml: moves("example.com/a:1", "other.net/b:2"),
      to: "example.com/a:10",
    },
    {
      rule: "a name with its digest by a name without, and keeps the digest",
      from: `example.com/a@${digest}`,
      toml: moves(`example.com/a@${digest}`, "other.net/b"),
      to: `other.net/b@${digest}`,
    },
    {
      rule: "what a wildcard covers",
      from: "x.y.example.com/a:1",
      toml: moves("*.example.com", "other.net/m"),
      to: "other.net/m/a:1",
    },
    {
      rule: "nothing without a location",
      from: "x.example.com:5000/a:1",
      toml: '[[registry]]\nprefix = "*.example.com"',
      to: "x.example.com:5000/a:1",
    },
    {
      rule: "by the longest prefix",
      from: "example.com/a/b/c:1",
      toml:
        moves("example.com/a", "one.net") +
        moves("example.com/a/b", "two.net") +
        moves("example.com", "three.net"),
      to: "two.net/c:1",
    },
    {
      rule: "by a host rather than a shorter wildcard",
      from: "deep.example.com/a:1",
      toml: moves("*.example.com", "wild.net") + moves("deep.example.com", "exact.net"),
      to: "exact.net/a:1",
    },
    {
      rule: "Docker Hub's official images",
      from: "debian",
      toml: moves("docker.io/library", "hub.local/official"),
      to: "hub.local/official/debian:latest",
    },
    {
      rule: "Docker Hub's other images only by their own namespace",
      from: "debian",
      toml: moves("docker.io/debian", "hub.local/other"),
      to: "docker.io/library/debian:latest",
    },
  ])("replaces $rule", ({ from, toml, to }) => {
    expect(places(from, toml)).toEqual([to]);
  });

  const mirrored = (settings: string, rule: string) =>
    `[[registry]]\nlocation = "example.com"\n${settings}\n[[registry.mirror]]\nlocation = "m.local"\n${rule}`;

  it.each([
    { settings: "", rule: "", tag: true, digests: true },
    { settings: "", rule: 'pull-from-mirror = "all"', tag: true, digests: true },
    { settings: "", rule: 'pull-from-mirror = "digest-only"', tag: false, digests: true },
    { settings: "", rule: 'pull-from-mirror = "tag-only"', tag: true, digests: false },
    { settings: "mirror-by-digest-only = true", rule: "", tag: false, digests: true },
    { settings: "mirror-by-digest-only = false", rule: "", tag: true, digests: true },
  ])("with $settings$rule asks the mirror for tags: $tag, digests: $digests", (row) => {
    const toml = mirrored(row.settings, row.rule);
    const isAsked = (reference: string) =>
      ask(reference, toml).map(({ registry, isMirror }) => `${registry} ${isMirror}`);
    const both = ["m.local true", "example.com false"];
    const one = ["example.com false"];
    expect(isAsked("example.com/a:1")).toEqual(row.tag ? both : one);
    expect(isAsked(`example.com/a@${digest}`)).toEqual(row.digests ? both : one);
    expect(isAsked(`example.com/a:1@${digest}`)).toEqual(row.digests ? both : one);
  });

  it("allows insecurity where the command line does, and nowhere else", () => {
    const toml = mirrored("", "");
    const secure = (insecureRegistries: readonly string[]) =>
      ask("example.com/a:1", toml, { insecureRegistries }).map(({ isInsecure }) => isInsecure);
    expect(secure([])).toEqual([false, false]);
    expect(secure(["M.local"])).toEqual([true, false]);
    expect(secure(["example.com"])).toEqual([false, true]);
    expect(secure(["m.local:443", "local", "com"])).toEqual([false, false]);
  });

  it("refuses what is blocked, and says which file and prefix blocks it", () => {
    const toml = '[[registry]]\nlocation = "example.com/bad"\nblocked = true\n';
    expect(refusal(() => ask("example.com/bad/a:1", toml))).toMatchObject({
      code: "PERMISSION",
      message: `docker://example.com/bad/a:1 is blocked by ${file} (registry "example.com/bad")`,
      hint: expect.stringContaining("that file"),
    });
    expect(places("example.com/good:1", toml)).toEqual(["example.com/good:1"]);
  });

  it("allows what a longer prefix does not block", () => {
    const toml =
      '[[registry]]\nlocation = "example.com"\nblocked = true\n[[registry]]\nlocation = "example.com/ok"';
    expect(places("example.com/ok/a:1", toml)).toEqual(["example.com/ok/a:1"]);
  });

  const other = `sha256:${"1".repeat(64)}`;
  it.each([
    {
      location: "a host alone for a whole name",
      from: "example.com/a:1",
      toml: moves("example.com/a", "other.net"),
      says: "becomes other.net:1, which names no image",
    },
    {
      location: "a port for a host that has one already",
      from: "example.com:5000/a:1",
      toml: moves("example.com", "other.net:443"),
      says: "becomes other.net:443:5000/a:1, which names no image",
    },
    {
      location: "another digest",
      from: `example.com/a@${digest}`,
      toml: moves(`example.com/a@${digest}`, `other.net/a@${other}`),
      says: "which has another digest",
    },
    {
      location: "a digest for a tag",
      from: "example.com/a:1",
      toml: moves("example.com/a:1", `other.net/a@${other}`),
      says: "which has another digest",
    },
  ])("refuses $location", ({ from, toml, says }) => {
    const error = refusal(() => ask(from, toml));
    expect(error.code).toBe("CONFIG");
    expect(error.message.startsWith(`${file}: registry "example.com`)).toBe(true);
    expect(error.message).toContain(says);
  });
});
