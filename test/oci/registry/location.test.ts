import { describe, expect, it } from "vitest";
import {
  coveredBy,
  normalizeLocation,
  normalizePrefix,
} from "../../../src/oci/registry/location.js";
import { refusal } from "../../support/refusal.js";

describe("normalizeLocation", () => {
  it.each([
    { location: "example.com", normal: "example.com" },
    { location: "Example.COM:5000/", normal: "example.com:5000" },
    { location: "localhost", normal: "localhost" },
    { location: "mirror:5000/a/b//", normal: "mirror:5000/a/b" },
    { location: "example.com/a/b:tag", normal: "example.com/a/b:tag" },
    { location: "[::1]:5000/a", normal: "[::1]:5000/a" },
  ])("gives $location as $normal", ({ location, normal }) => {
    expect(normalizeLocation(location)).toBe(normal);
  });

  it.each([
    { location: "https://example.com", why: "no scheme" },
    { location: "http://example.com/a", why: "no scheme" },
    { location: "mirror", why: "with a dot or a port" },
    { location: "library/debian", why: "with a dot or a port" },
    { location: "/", why: "with a dot or a port" },
    { location: "", why: "with a dot or a port" },
    { location: "example.com/Upper", why: "HOST[:PORT][/NAMESPACE]" },
    { location: "example.com:port", why: "HOST[:PORT][/NAMESPACE]" },
    { location: "example.com/a b", why: "HOST[:PORT][/NAMESPACE]" },
    { location: "user@example.com", why: "HOST[:PORT][/NAMESPACE]" },
    { location: "*.example.com", why: "HOST[:PORT][/NAMESPACE]" },
  ])("refuses $location", ({ location, why }) => {
    const error = refusal(() => normalizeLocation(location));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain(why);
  });
});

describe("normalizePrefix", () => {
  it.each([
    { prefix: "example.com/a/", normal: "example.com/a" },
    { prefix: "*.Example.com", normal: "*.example.com" },
    { prefix: "*.com", normal: "*.com" },
  ])("gives $prefix as $normal", ({ prefix, normal }) => {
    expect(normalizePrefix(prefix)).toBe(normal);
  });

  it.each([
    "*",
    "*.",
    "*example.com",
    "example.*.com",
    "*.*.com",
    "*.example.com/foo",
    "*.example.com:5000",
  ])("refuses the wildcard %s", (prefix) => {
    expect(refusal(() => normalizePrefix(prefix)).code).toBe("CONFIG");
  });
});

describe("coveredBy", () => {
  it.each([
    { prefix: "example.com", reference: "example.com/foo:1", covers: "example.com" },
    { prefix: "example.com", reference: "example.com:5000/foo:1", covers: "example.com" },
    { prefix: "example.com:5000", reference: "example.com:5000/foo:1", covers: "example.com:5000" },
    { prefix: "example.com/foo", reference: "example.com/foo:1", covers: "example.com/foo" },
    { prefix: "example.com/foo", reference: "example.com/foo/b:1", covers: "example.com/foo" },
    { prefix: "example.com/foo", reference: "example.com/foo@sha256:0", covers: "example.com/foo" },
    { prefix: "example.com/foo:1", reference: "example.com/foo:1", covers: "example.com/foo:1" },
    {
      prefix: "example.com/foo:1",
      reference: "example.com/foo:1@sha256:0",
      covers: "example.com/foo:1",
    },
    { prefix: "*.example.com", reference: "a.example.com/foo:1", covers: "a.example.com" },
    { prefix: "*.example.com", reference: "b.a.example.com/foo:1", covers: "b.a.example.com" },
    { prefix: "*.example.com", reference: "a.example.com:5000/foo", covers: "a.example.com" },
    {
      prefix: "*.example.com",
      reference: "a.example.com.example.com/foo",
      covers: "a.example.com.example.com",
    },
  ])("$prefix covers $covers of $reference", ({ prefix, reference, covers }) => {
    expect(coveredBy(prefix, reference)).toBe(covers.length);
  });

  it.each([
    { prefix: "example.com", reference: "example.community/foo:1" },
    { prefix: "example.com", reference: "a.example.com/foo:1" },
    { prefix: "example.com:50", reference: "example.com:5000/foo:1" },
    { prefix: "example.com/foo", reference: "example.com/foobar:1" },
    { prefix: "example.com/foo", reference: "example.com/foo-bar:1" },
    { prefix: "example.com/foo:1", reference: "example.com/foo:10" },
    { prefix: "*.example.com", reference: "example.com/foo:1" },
    { prefix: "*.example.com", reference: "aexample.com/foo:1" },
    { prefix: "*.example.com", reference: "a.example.community/foo:1" },
    { prefix: "*.example.com", reference: "other.org/a.example.com/foo:1" },
  ])("$prefix does not apply to $reference", ({ prefix, reference }) => {
    expect(coveredBy(prefix, reference)).toBeUndefined();
  });
});
