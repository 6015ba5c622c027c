import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseReference } from "../../../src/oci/reference.js";
import { resolveLab } from "../../../src/oci/sources/repx-lab.js";
import { type FileContent, type FileSet, writeFiles } from "../../support/file-set.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

function labWith(files: FileSet): string {
  return writeFiles(join(scratchDirectory(), "lab"), files);
}

function resolve(text: string) {
  return resolveLab(parseReference(text));
}

const directories = ["images", "image", "artifacts/images", "artifacts/image"];
const suffixes = ["", ".gz", ".tar", ".tar.gz"];
const places = directories.flatMap((directory) => {
  return suffixes.map((suffix) => `${directory}/tools${suffix}`);
});

describe("an image of a Lab", () => {
  test.each(places)("is found as %s", (place) => {
    const lab = labWith(new Map([[place, ""]]));
    const found = { transport: "path", location: join(lab, place), lab: realpathSync(lab) };
    expect(resolve(`repx:${lab}#tools`)).toEqual(found);
    expect(resolve(`repx:${lab}`)).toEqual(found);
    expect(resolve(lab)).toEqual(found);
  });

  test("may be a directory, and is taken before a file that comes later", () => {
    const lab = labWith(
      new Map([
        ["images/tools/manifest.json", "[]"],
        ["images/tools.tar", ""],
        ["image/tools", ""],
      ]),
    );
    expect(resolve(`repx:${lab}#tools`).location).toBe(join(lab, "images/tools"));
  });

  test("is found in a Lab whose path has a # and a colon in it", () => {
    const lab = writeFiles(join(scratchDirectory(), "a#b:c"), new Map([["images/tools", ""]]));
    expect(resolve(`repx:${lab}#tools`).location).toBe(join(lab, "images/tools"));
  });

  test("that is missing is an error that names all paths that were tried, and what there is", () => {
    const lab = labWith(new Map([["images/other.tar.gz", ""]]));
    const error = refusal(() => resolve(`repx:${lab}#tools`));
    expect(error).toMatchObject({ code: "NOT_FOUND", hint: "it has other" });
    for (const place of places) expect(error.message).toContain(join(lab, place));
  });

  test("has to be named where there are several", () => {
    const lab = labWith(
      new Map([
        ["images/a/manifest.json", "[]"],
        ["images/a.tar", ""],
        ["artifacts/image/b.tar.gz", ""],
      ]),
    );
    for (const text of [`repx:${lab}`, lab]) {
      expect(refusal(() => resolve(text))).toMatchObject({
        code: "REFERENCE_AMBIGUOUS",
        message: `the Lab ${lab} has several images`,
        hint: `choose one with repx:${lab}#NAME; it has a, b`,
      });
    }
  });

  test("may be a link within the Lab", () => {
    const lab = labWith(
      new Map<string, FileContent>([
        ["store/abc.tar", ""],
        ["images/tools", { symlink: "../store/abc.tar" }],
      ]),
    );
    expect(resolve(`repx:${lab}#tools`).location).toBe(join(lab, "images/tools"));
  });

  test.each(["../../outside.tar", "/etc/passwd"])("may be no link out of it, to %s", (symlink) => {
    const lab = labWith(
      new Map<string, FileContent>([
        ["../outside.tar", ""],
        ["images/tools", { symlink }],
      ]),
    );
    expect(refusal(() => resolve(`repx:${lab}#tools`))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("leads out of the Lab"),
    });
  });
});

describe("a Lab", () => {
  test("may be empty, which is said with the places that were looked at", () => {
    const lab = labWith(new Map([["store/abc", ""]]));
    mkdirSync(join(lab, "images"));
    for (const text of [`repx:${lab}`, lab]) {
      const error = refusal(() => resolve(text));
      expect(error.code).toBe("NOT_FOUND");
      for (const place of directories) expect(error.message).toContain(join(lab, place));
    }
  });

  test("that is not there is said to be missing", () => {
    for (const reference of ["repx:/nowhere/lab#tools", "repx:/nowhere/lab"]) {
      const error = refusal(() => resolve(reference));
      expect(error.code).toBe("NOT_FOUND");
      expect(error.message).toMatch(/^there is no Lab \/nowhere\/lab:/);
    }
  });

  test.each(["manifest.json", "oci-layout", "index.json"])(
    "is no directory that is an image itself, by its %s",
    (name) => {
      const lab = labWith(
        new Map([
          [name, ""],
          ["images/a", ""],
          ["images/b", ""],
        ]),
      );
      expect(resolve(lab)).toEqual(parseReference(lab));
    },
  );
});

test.each(["oci:/x", "docker://debian:12", "-", "/nowhere", "/etc/passwd", "name"])(
  "%s is no image of a Lab, and stays as it is",
  (text) => {
    expect(resolve(text)).toEqual(parseReference(text));
  },
);
