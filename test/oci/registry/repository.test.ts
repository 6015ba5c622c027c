import { describe, expect, test } from "vitest";
import {
  formatRegistryReference,
  namesHost,
  parseRegistryReference,
} from "../../../src/oci/registry/repository.js";
import { refusal } from "../../support/refusal.js";

const digest = `sha256:${"ab".repeat(32)}` as const;

const cases: readonly (readonly [string, string])[] = [
  ["debian", "docker.io/library/debian:latest"],
  ["debian:12", "docker.io/library/debian:12"],
  ["somebody/app", "docker.io/somebody/app:latest"],
  ["docker.io/debian", "docker.io/library/debian:latest"],
  ["index.docker.io/debian", "docker.io/library/debian:latest"],
  ["registry-1.docker.io/a/b", "docker.io/a/b:latest"],
  ["localhost/app", "localhost/app:latest"],
  ["localhost:5000/app:x", "localhost:5000/app:x"],
  ["REGISTRY.Example.com/app", "registry.example.com/app:latest"],
  ["[::1]:5000/app", "[::1]:5000/app:latest"],
  ["10.0.0.1/a/b/c:V1.0_x-y", "10.0.0.1/a/b/c:V1.0_x-y"],
  ["h.example/a__b/c-d/e.f--g:_", "h.example/a__b/c-d/e.f--g:_"],
  [`debian@${digest}`, `docker.io/library/debian@${digest}`],
  [`h.example/a:t@${digest}`, `h.example/a:t@${digest}`],
];

describe("parseRegistryReference", () => {
  test.for(cases)("takes %s for %s", ([text, full]) => {
    expect(formatRegistryReference(parseRegistryReference(text))).toBe(full);
  });

  test.for(cases)("takes %s, in full, for the same", ([, full]) => {
    expect(formatRegistryReference(parseRegistryReference(full))).toBe(full);
  });

  test.for([
    ["", "no name"],
    [":tag", "no name"],
    ["h.example/", "no name"],
    ["h.example//a", "no name"],
    ["Debian", "lower case"],
    ["h.example/Debian", "lower case"],
    ["a/../b", "no name"],
    ["a/./b", "no name"],
    ["/etc/passwd", "no name"],
    ["a b", "no name"],
    ["h.example:port/a", "no host"],
    ["-h.example/a", "no host"],
    ["h_.example/a", "no host"],
    ["user@h.example/a", "no digest"],
    ["a:", "no tag"],
    ["a:-x", "no tag"],
    [`a:${"x".repeat(129)}`, "no tag"],
    ["a@sha256:12", "no digest"],
    [`a@${digest}@${digest}`, "no digest"],
    [`h.example/${"n".repeat(250)}`, "too long"],
    ["a%2fb", "no name"],
    ["a?x=y", "no name"],
    ["a#b", "no name"],
    ["h.example/a\n", "no name"],
    ["127.0.0.1:99999/a", "no host"],
    ["999.1.1.1/a", "no host"],
    ["[:::]:1/x", "no host"],
    ["u:secret@h.example/a:1", "a login"],
  ])("refuses %j: %s", ([text, why]) => {
    const error = refusal(() => parseRegistryReference(text ?? ""));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(why);
    expect(error.message).not.toContain("secret");
  });

  test("refuses digests of an unknown algorithm for what they are", () => {
    const error = refusal(() => parseRegistryReference("a@blake3:abcdef"));
    expect(error.code).toBe("IMAGE_UNSUPPORTED");
  });
});

test.for([
  ["debian", false],
  ["somebody/app", false],
  ["localhost/app", true],
  ["h.example/app", true],
  ["host:5000/app", true],
  ["debian:12", false],
] as const)("that %s names a host is %s", ([text, isSo]) => {
  expect(namesHost(text)).toBe(isSo);
});
