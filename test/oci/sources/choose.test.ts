import { describe, expect, it } from "vitest";
import { type Candidate, chooseByName } from "../../../src/oci/sources/choose.js";
import { refusal } from "../../support/refusal.js";

function candidate(identity: string, ...names: readonly string[]): Candidate<string> {
  return { value: identity, identity, names };
}

function forPlatform(platform: string, ...names: readonly string[]): Candidate<string> {
  return { ...candidate(platform, ...names), platform };
}

function choose(candidates: readonly Candidate<string>[], choice?: string) {
  return chooseByName(candidates, { label: "a.tar", choice });
}

const several = [
  candidate("A", "docker.io/library/alpine:3.20", "alpine:3.20"),
  candidate("B", "localhost:5000/tools:1.0"),
  candidate("C"),
  candidate("D", "docker.io/library/busybox:latest"),
];

describe("chooseByName", () => {
  it("takes the only image when nothing is chosen, whether it has a name or not", () => {
    expect(choose([candidate("A", "x")])).toEqual(["A"]);
    expect(choose([candidate("A")])).toEqual(["A"]);
  });

  it("takes an image that is listed several times for one", () => {
    expect(choose([candidate("A", "x"), candidate("A", "y")])).toEqual(["A"]);
  });

  it.each([
    { choice: "alpine:3.20", value: "A" },
    { choice: "library/alpine:3.20", value: "A" },
    { choice: "docker.io/alpine:3.20", value: "A" },
    { choice: "docker.io/library/alpine:3.20", value: "A" },
    { choice: "localhost:5000/tools:1.0", value: "B" },
    { choice: "busybox", value: "D" },
    { choice: "busybox:latest", value: "D" },
    { choice: "@0", value: "A" },
    { choice: "@2", value: "C" },
    { choice: "@03", value: "D" },
  ])("takes $value for $choice", ({ choice, value }) => {
    expect(choose(several, choice)).toEqual([value]);
  });

  it("prefers a name as it is written to a familiar one", () => {
    const candidates = [candidate("A", "docker.io/library/x:latest"), candidate("B", "x")];
    expect(choose(candidates, "x")).toEqual(["B"]);
    expect(choose(candidates, "docker.io/library/x:latest")).toEqual(["A"]);
  });

  it.each([
    "",
    "nosuch",
    "alpine",
    "alpine:3.2",
    "tools:1.0",
    "@4",
    "@-1",
    "@",
    "@1x",
    "ALPINE:3.20",
  ])("finds no %j and lists what there is", (choice) => {
    expect(refusal(() => choose(several, choice))).toMatchObject({
      code: "NOT_FOUND",
      message: `a.tar holds no image "${choice}"`,
      hint:
        "it holds @0 (docker.io/library/alpine:3.20 = alpine:3.20), " +
        "@1 (localhost:5000/tools:1.0), @2 (without a name), " +
        "@3 (docker.io/library/busybox:latest)",
    });
  });

  it("asks for a choice where there are several images, and lists them", () => {
    expect(refusal(() => choose(several))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      message: "a.tar holds several images",
      hint: expect.stringMatching(/^choose one by adding :NAME or :@N; it holds @0 .*, @3 /),
    });
  });

  it("asks for a choice among images that have no names", () => {
    expect(refusal(() => choose([candidate("A"), candidate("B")]))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      hint: expect.stringContaining("@0 (without a name), @1 (without a name)"),
    });
  });

  it("asks for a choice among images of one name", () => {
    const twins = [candidate("A", "x:1"), candidate("B", "x:1")];
    expect(refusal(() => choose(twins)).code).toBe("REFERENCE_AMBIGUOUS");
    expect(refusal(() => choose(twins, "x:1"))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      message: 'a.tar holds several images called "x:1"',
    });
    expect(choose(twins, "@1")).toEqual(["B"]);
  });

  it("gives all platforms of an image, chosen by name or the only one", () => {
    const platforms = [forPlatform("linux/amd64", "x:1"), forPlatform("linux/arm64", "x:1")];
    expect(choose(platforms)).toEqual(["linux/amd64", "linux/arm64"]);
    expect(choose(platforms, "x:1")).toEqual(["linux/amd64", "linux/arm64"]);
    expect(choose(platforms, "@1")).toEqual(["linux/arm64"]);
  });

  it("gives all platforms of an image without a name", () => {
    expect(choose([forPlatform("linux/amd64"), forPlatform("linux/arm64")])).toHaveLength(2);
  });

  it("does not take two images for the platforms of one because these differ", () => {
    const candidates = [forPlatform("linux/amd64", "x"), forPlatform("linux/arm64", "y")];
    expect(refusal(() => choose(candidates)).code).toBe("REFERENCE_AMBIGUOUS");
  });

  it("says that there is none where there is none", () => {
    expect(refusal(() => choose([])).message).toBe("a.tar holds no image");
    expect(refusal(() => choose([], "x")).message).toBe("a.tar holds no image");
  });

  it("shortens a long list", () => {
    const many = Array.from({ length: 23 }, (_, i) => candidate(`${i}`, `n${i}`));
    const { hint } = refusal(() => choose(many));
    expect(hint).toMatch(/@19 \(n19\) and 3 more$/);
    expect(hint).not.toContain("@20");
  });

  it("escapes what hostile names would do to a terminal", () => {
    const { hint } = refusal(() => choose([candidate("A", "a\x1b[2J"), candidate("B", "b\nc")]));
    expect(hint).toContain("@0 (a\\x1b[2J), @1 (b\\x0ac)");
  });
});
