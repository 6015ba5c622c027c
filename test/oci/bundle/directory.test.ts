import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSpan } from "../../../src/host/span.js";
import { openDirectory } from "../../../src/oci/bundle/directory.js";
import { writeFiles } from "../../support/file-set.js";
import { refusal } from "../../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../../support/scratch-directory.js";

function textOf(directory: string, name: string): string | undefined {
  const span = openDirectory(directory).find(name);
  return span && readSpan(span).toString();
}

/** A Lab with an image whose layer is a link into the store, and a second link that leaves it. */
function lab(images = "images") {
  const root = scratchDirectory();
  const up = "../".repeat(images.split("/").length + 2);
  writeFiles(
    root,
    new Map<string, string | { symlink: string }>([
      ["secret", "outside"],
      ["lab/store/abc-layer.tar", "the layer"],
      [`lab/${images}/tools/manifest.json`, "[]"],
      [`lab/${images}/tools/abc/layer.tar`, { symlink: `${up}store/abc-layer.tar` }],
      [`lab/${images}/tools/out/layer.tar`, { symlink: `${up}../secret` }],
      [`lab/${images}/tools/absolute/layer.tar`, { symlink: "/etc/passwd" }],
    ]),
  );
  return join(root, "lab", images, "tools");
}

describe("openDirectory", () => {
  it("finds files, by any spelling of their names", () => {
    const directory = writeFiles(scratchDirectory(), new Map([["a/b", "text"]]));
    for (const name of ["a/b", "./a/b", "/a/b", "a//./b", "a/x/../b"]) {
      expect(textOf(directory, name)).toBe("text");
    }
  });

  it.each(["x", "a/x", "a/b/c", "dangling"])("finds nothing under %s", (name) => {
    const directory = writeFiles(
      scratchDirectory(),
      new Map<string, string | { symlink: string }>([
        ["a/b", "text"],
        ["dangling", { symlink: "nowhere" }],
      ]),
    );
    expect(textOf(directory, name)).toBeUndefined();
  });

  it("follows links inside, those of directories too", () => {
    const directory = writeFiles(
      scratchDirectory(),
      new Map<string, string | { symlink: string }>([
        ["real/file", "text"],
        ["d", { symlink: "real" }],
        ["link", { symlink: "d/../real/file" }],
      ]),
    );
    expect(textOf(directory, "d/file")).toBe("text");
    expect(textOf(directory, "link")).toBe("text");
  });

  it("takes a directory that is itself a link for what it leads to", () => {
    const root = writeFiles(
      scratchDirectory(),
      new Map<string, string | { symlink: string }>([
        ["real/file", "text"],
        ["link", { symlink: "real" }],
      ]),
    );
    expect(textOf(join(root, "link"), "file")).toBe("text");
  });

  it.each(["absolute", "up", "directory/file", "chain"])(
    "refuses the link out called %s",
    (name) => {
      const root = writeFiles(
        scratchDirectory(),
        new Map<string, string | { symlink: string }>([
          ["image-secret/file", "outside"],
          ["image/absolute", { symlink: "/etc/passwd" }],
          ["image/up", { symlink: "../image-secret/file" }],
          ["image/directory", { symlink: "../image-secret" }],
          ["image/chain", { symlink: "up" }],
        ]),
      );
      expect(refusal(() => textOf(join(root, "image"), name))).toMatchObject({
        code: "IMAGE_INVALID",
        message: expect.stringContaining(`${name} leads out of `),
      });
    },
  );

  it.each(["..", "../x", "a/../../x", "a\0b"])("refuses the name %j", (name) => {
    expect(refusal(() => textOf(scratchDirectory(), name)).code).toBe("IMAGE_INVALID");
  });

  it("says what is wrong with links that lead in a circle", () => {
    const directory = scratchDirectory();
    symlinkSync("loop", join(directory, "loop"));
    expect(refusal(() => textOf(directory, "loop")).message).toContain("too many symbolic links");
  });

  it("refuses fifos, directories and devices without waiting for them", () => {
    const directory = scratchDirectory();
    execFileSync("mkfifo", [join(directory, "fifo")]);
    mkdirSync(join(directory, "directory"));
    for (const name of ["fifo", "directory"]) {
      expect(refusal(() => textOf(directory, name))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `${join(directory, name)} is not a regular file`,
      });
    }
  });

  it("says that a directory is missing, or is none", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "file"), "");
    expect(refusal(() => openDirectory(join(directory, "nosuch"))).code).toBe("NOT_FOUND");
    expect(refusal(() => openDirectory(join(directory, "file/x"))).code).toBe("NOT_FOUND");
  });

  it("says PERMISSION for what the caller may not see", () => {
    const directory = writeFiles(scratchDirectory(), new Map([["locked/file", "text"]]));
    chmodSync(join(directory, "locked"), 0);
    asOrdinaryUser(directory, () => {
      expect(refusal(() => textOf(directory, "locked/file")).code).toBe("PERMISSION");
    });
    chmodSync(join(directory, "locked"), 0o700);
  });
});

describe("openDirectory, on an image of a RepX Lab", () => {
  it.each(["images", "image", "artifacts/images"])(
    "follows layers into the store (%s)",
    (images) => {
      expect(textOf(lab(images), "abc/layer.tar")).toBe("the layer");
    },
  );

  it.each(["out", "absolute"])("refuses a layer that leaves the Lab (%s)", (which) => {
    expect(refusal(() => textOf(lab(), `${which}/layer.tar`))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("leads out of"),
    });
  });

  it("takes only a directory of images for a Lab's", () => {
    const directory = lab("elsewhere");
    expect(refusal(() => textOf(directory, "abc/layer.tar")).code).toBe("IMAGE_INVALID");
  });
});
