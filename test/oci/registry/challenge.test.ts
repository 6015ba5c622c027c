import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../src/oci/registry/challenge.js";

/** Challenges as plain data. */
function parsed(header: string | readonly string[] | undefined) {
  return parseChallenges(header).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

const dockerHub = {
  realm: "https://auth.docker.io/token",
  service: "registry.docker.io",
  scope: "repository:library/debian:pull",
};

describe("parseChallenges", () => {
  test.each([
    {
      header:
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull"',
      challenges: [["bearer", dockerHub]],
    },
    { header: 'Basic realm="a b"', challenges: [["basic", { realm: "a b" }]] },
    { header: "Basic", challenges: [["basic", {}]] },
    { header: 'BEARER REALM="x"', challenges: [["bearer", { realm: "x" }]] },
    {
      header: 'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
      challenges: [
        ["newauth", { realm: "apps", type: "1", title: 'Login to "apps"' }],
        ["basic", { realm: "simple" }],
      ],
    },
    {
      header: 'Negotiate, Basic realm="x", Bearer',
      challenges: [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
        ["bearer", {}],
      ],
    },
    {
      header: 'Negotiate YWJjZA==, Bearer realm="x"',
      challenges: [
        ["negotiate", {}],
        ["bearer", { realm: "x" }],
      ],
    },
    {
      header: 'Bearer realm = "x" ,\tservice\t=\ty',
      challenges: [["bearer", { realm: "x", service: "y" }]],
    },
    {
      header: ',, ,Bearer   realm="x",, ,service="y",',
      challenges: [["bearer", { realm: "x", service: "y" }]],
    },
    {
      header: 'Bearer realm="x",scope="repository:a:pull,push",service="a=b, Basic c"',
      challenges: [
        ["bearer", { realm: "x", scope: "repository:a:pull,push", service: "a=b, Basic c" }],
      ],
    },
    {
      header: 'Bearer realm="",service="\\\\\\a"',
      challenges: [["bearer", { realm: "", service: "\\a" }]],
    },
    {
      header: 'Basic realm="3.5\\", a",charset="UTF-8"',
      challenges: [["basic", { realm: '3.5", a', charset: "UTF-8" }]],
    },
    {
      header: "Bearer realm=https://r.io/token,service=r.io",
      challenges: [["bearer", { realm: "https://r.io/token", service: "r.io" }]],
    },
    { header: 'Bearer realm="first",REALM="second"', challenges: [["bearer", { realm: "first" }]] },
    {
      header: 'Bearer __proto__="x",constructor="y"',
      challenges: [["bearer", JSON.parse('{"__proto__":"x","constructor":"y"}')]],
    },
  ])("takes $header", ({ header, challenges }) => {
    expect(parsed(header)).toEqual(challenges);
  });

  test("takes several headers", () => {
    expect(parsed(['Basic realm="a"', 'Bearer realm="b", service="c"'])).toEqual([
      ["basic", { realm: "a" }],
      ["bearer", { realm: "b", service: "c" }],
    ]);
  });

  test.each([undefined, "", [], [""], " , ,"])("gives none for %j", (header) => {
    expect(parsed(header)).toEqual([]);
  });

  test.each([
    { header: 'realm="x", Bearer service="y"', challenges: [["bearer", { service: "y" }]] },
    { header: 'Bearer realm="x" junk, service="y"', challenges: [["bearer", { service: "y" }]] },
    {
      header: 'Bearer realm="x", "quoted", service="y"',
      challenges: [["bearer", { realm: "x", service: "y" }]],
    },
    { header: 'Bearer realm="x", service="y', challenges: [["bearer", { realm: "x" }]] },
    { header: 'Bearer realm="x\\', challenges: [["bearer", {}]] },
    { header: 'Bearer realm=, service="y"', challenges: [["bearer", { service: "y" }]] },
    {
      header: 'Bearer a="b" ="x", (a)="b", service="y"',
      challenges: [["bearer", { service: "y" }]],
    },
    { header: 'Bärer realm="x"', challenges: [] },
    { header: 'Bearer realm="a"b"', challenges: [["bearer", {}]] },
  ])("passes over what is malformed in $header", ({ header, challenges }) => {
    expect(parsed(header)).toEqual(challenges);
  });

  const long = 65_000;
  test.each([
    ["an open quote", `Bearer realm="${"x".repeat(long)}`],
    ["an open quote of escapes", `Bearer realm="${"\\a".repeat(long / 2)}`],
    ["quotes", `Bearer ${'"'.repeat(long)}`],
    ["backslashes", `Bearer realm="${"\\".repeat(long)}"`],
    ["commas", ",".repeat(long)],
    ["spaces", `Bearer ${" ".repeat(long)}x`],
    ["spaces in a parameter", `Bearer realm${" ".repeat(long)}=${" ".repeat(long)}(`],
    ["one token", `Bearer ${"x".repeat(long)}`],
    ["schemes", "a,".repeat(long / 2)],
    ["parameters of one name", `Bearer ${"a=b,".repeat(long / 4)}`],
    ["equals signs", `Bearer ${"=".repeat(long)}`],
    ["token68s", "a b=,".repeat(long / 5)],
    ["more than a header can hold", `Bearer realm="${"\\a".repeat(20_000_000)}"`],
  ])("is not slowed down by %s", (_, header) => {
    const began = performance.now();
    const schemes = new Set(parseChallenges(header).map(({ scheme }) => scheme));
    // What is slow in the square of the length takes minutes.
    expect(performance.now() - began).toBeLessThan(4000);
    expect(["bearer", "a"]).toEqual(expect.arrayContaining([...schemes]));
  });
});
