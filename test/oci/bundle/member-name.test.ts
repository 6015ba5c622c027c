import { describe, expect, it } from "vitest";
import {
  lookUp,
  type Member,
  normalizeMemberName,
  symlinkTarget,
} from "../../../src/oci/bundle/member-name.js";

describe("normalizeMemberName", () => {
  it.each([
    { name: "manifest.json", normal: "manifest.json" },
    { name: "./manifest.json", normal: "manifest.json" },
    { name: "/manifest.json", normal: "manifest.json" },
    { name: "a//b/./c/", normal: "a/b/c" },
    { name: "a/../b", normal: "b" },
    { name: "a/b/../../c", normal: "c" },
    { name: "", normal: "" },
    { name: "a/..", normal: "" },
    { name: "...", normal: "..." },
    { name: "..", normal: undefined },
    { name: "../a", normal: undefined },
    { name: "a/../../a", normal: undefined },
    { name: "/..", normal: undefined },
  ])("makes $normal of $name", ({ name, normal }) => {
    expect(normalizeMemberName(name)).toBe(normal);
  });
});

describe("symlinkTarget", () => {
  it.each([
    { name: "a/layer.tar", target: "../b/layer.tar", leads: "b/layer.tar" },
    { name: "./a/layer.tar", target: "../b/layer.tar", leads: "b/layer.tar" },
    { name: "a", target: "b", leads: "b" },
    { name: "a/b", target: "c", leads: "a/c" },
    { name: "a/b", target: "../../c", leads: undefined },
    { name: "a", target: "/etc/passwd", leads: undefined },
  ])("leads from $name by $target to $leads", ({ name, target, leads }) => {
    expect(symlinkTarget(name, target)).toBe(leads);
  });
});

describe("lookUp", () => {
  const link = (target: string): Member<string> => ({ kind: "link", target });
  const members = new Map<string, Member<string>>([
    ["a", { kind: "content", content: "A" }],
    ["b", link("a")],
    ["c", link("b")],
    ["dangling", link("nowhere")],
    ["self", link("self")],
    ["ping", link("pong")],
    ["pong", link("ping")],
  ]);

  it.each([
    { name: "a", content: "A" },
    { name: "./a", content: "A" },
    { name: "b", content: "A" },
    { name: "c", content: "A" },
    { name: "dangling", content: undefined },
    { name: "self", content: undefined },
    { name: "ping", content: undefined },
    { name: "../a", content: undefined },
    { name: "constructor", content: undefined },
  ])("finds $content under $name", ({ name, content }) => {
    expect(lookUp(members, name)).toBe(content);
  });
});
