import { describe, expect, it } from "vitest";
import { divideLocation, parseReference } from "../../src/oci/reference.js";
import { refusal } from "../support/refusal.js";

describe("parseReference", () => {
  it.each([
    { text: "docker-archive:a.tar", transport: "docker-archive", location: "a.tar" },
    {
      text: "docker-archive:a.tar:name:tag",
      transport: "docker-archive",
      location: "a.tar:name:tag",
    },
    { text: "oci-archive:/images/a.tar", transport: "oci-archive", location: "/images/a.tar" },
    { text: "oci:layout", transport: "oci", location: "layout" },
    { text: "oci:layout:@1", transport: "oci", location: "layout:@1" },
    { text: "repx:./result#tools", transport: "repx", location: "./result#tools" },
    { text: "repx:/labs/a#b#tools", transport: "repx", location: "/labs/a#b#tools" },
    { text: "repx:./result", transport: "repx", location: "./result" },
    { text: "oci:a\nb", transport: "oci", location: "a\nb" },
    { text: "-", transport: "stdin", location: "" },
    { text: "image.tar", transport: "path", location: "image.tar" },
    { text: "./docker:x", transport: "path", location: "./docker:x" },
    { text: "/images/oci:x", transport: "path", location: "/images/oci:x" },
    { text: "image.tar:name", transport: "path", location: "image.tar:name" },
    { text: "alpine:3.20", transport: "path", location: "alpine:3.20" },
    { text: "OCI:layout", transport: "path", location: "OCI:layout" },
    { text: "ocix:layout", transport: "path", location: "ocix:layout" },
    { text: "constructor:x", transport: "path", location: "constructor:x" },
    { text: ":x", transport: "path", location: ":x" },
    { text: "--", transport: "path", location: "--" },
  ])("takes $text for $transport", ({ text, transport, location }) => {
    expect(parseReference(text)).toEqual({ transport, location });
  });

  it.each(["repx:", "repx:#tools", "repx:lab#", "repx:lab#..", "repx:lab#a/b", "repx:a\0b"])(
    "refuses %j, which names no image of a Lab",
    (text) => {
      expect(refusal(() => parseReference(text))).toMatchObject({
        code: "USAGE",
        message: expect.stringContaining("names no image of a Lab"),
        hint: expect.stringContaining("repx:./result#tools"),
      });
    },
  );

  it.each(["", "oci:", "docker-archive:", "oci-archive:", "a\0b", "oci:a\0b"])(
    "refuses %j, which names no image",
    (text) => {
      expect(refusal(() => parseReference(text))).toMatchObject({
        code: "USAGE",
        message: expect.stringContaining("names no image"),
        hint: expect.stringContaining("oci-archive:image.tar"),
      });
    },
  );

  it.each([
    { text: "docker:alpine", next: "docker://alpine" },
    { text: "docker-daemon:alpine:latest", next: "docker save" },
    { text: "containers-storage:alpine", next: "podman save" },
    { text: "dir:/images/a", next: "skopeo copy dir:" },
  ])("refuses $text and says how to get at it", ({ text, next }) => {
    expect(refusal(() => parseReference(text))).toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(text),
      hint: expect.stringContaining(next),
    });
  });

  it("lets nothing of the reference upset the terminal", () => {
    const { message } = refusal(() => parseReference("docker://x\x1b[2J\n"));
    expect(message).toContain("docker://x\\x1b[2J\\x0a");
  });
});

describe("divideLocation", () => {
  it.each([
    { location: "a.tar", existing: ["a.tar"], path: "a.tar", choice: undefined },
    { location: "a.tar:name", existing: ["a.tar"], path: "a.tar", choice: "name" },
    { location: "a.tar:name:tag", existing: ["a.tar"], path: "a.tar", choice: "name:tag" },
    { location: "a.tar:@1", existing: ["a.tar"], path: "a.tar", choice: "@1" },
    { location: "a.tar:", existing: ["a.tar"], path: "a.tar", choice: "" },
    { location: "a:b:c", existing: ["a:b"], path: "a:b", choice: "c" },
    { location: "a:b:c", existing: ["a", "a:b"], path: "a", choice: "b:c" },
    { location: "a:b:c", existing: ["a", "a:b", "a:b:c"], path: "a:b:c", choice: undefined },
    {
      location: "/d:d/x:host:5000/n:t",
      existing: ["/d:d/x"],
      path: "/d:d/x",
      choice: "host:5000/n:t",
    },
    { location: ":x", existing: [":x"], path: ":x", choice: undefined },
  ])("divides $location where $existing exist", ({ location, existing, path, choice }) => {
    expect(divideLocation(location, (at) => existing.includes(at))).toEqual({ path, choice });
  });

  it.each(["a.tar", "a:b:c", ":", ":x", ""])("finds nothing in %j where nothing exists", (text) => {
    expect(divideLocation(text, () => false)).toBeUndefined();
  });

  it("never asks whether the empty path exists before a colon", () => {
    expect(divideLocation(":name", (at) => at === "")).toBeUndefined();
  });
});
