import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSpan } from "../../../src/host/span.js";
import { openTarFile } from "../../../src/oci/bundle/tar-file.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveOf, gnuLong, headerBlock, member, paxMember } from "../../support/tar-blocks.js";

function write(bytes: Buffer): string {
  const path = join(scratchDirectory(), "image.tar");
  writeFileSync(path, bytes);
  return path;
}

function textOf(archive: Buffer, name: string): string | undefined {
  const span = openTarFile(write(archive)).find(name);
  return span && readSpan(span).toString();
}

function link(name: string, linkName: string): Buffer {
  return headerBlock({ name, linkName, type: "2" });
}

describe("openTarFile", () => {
  it("finds the content of each member where it lies", () => {
    const archive = archiveOf(member({ name: "a" }, "A".repeat(700)), member({ name: "b" }, "B"));
    expect(textOf(archive, "a")).toBe("A".repeat(700));
    expect(textOf(archive, "b")).toBe("B");
    expect(openTarFile(write(archive)).find("b")).toMatchObject({
      offset: 512 + 1024 + 512,
      size: 1,
    });
  });

  it.each(["./a/b", "/a/b", "a//b"])("finds a member called %s by its plain name", (name) => {
    expect(textOf(archiveOf(member({ name }, "x")), "a/b")).toBe("x");
  });

  it("finds members by long names of either kind, and by names that are not ASCII", () => {
    const long = "n".repeat(300);
    const archive = archiveOf(
      paxMember({ path: `${long}/pax` }),
      member({}, "1"),
      gnuLong("L", `${long}/gnu`),
      member({}, "2"),
      member({ name: "grün" }, "3"),
    );
    expect(textOf(archive, `${long}/pax`)).toBe("1");
    expect(textOf(archive, `${long}/gnu`)).toBe("2");
    expect(textOf(archive, "grün")).toBe("3");
  });

  it("takes the last of two members of one name", () => {
    const archive = archiveOf(member({ name: "a" }, "old"), member({ name: "./a" }, "new"));
    expect(textOf(archive, "a")).toBe("new");
  });

  it("follows symlinks and hard links, backward and forward", () => {
    const archive = archiveOf(
      link("x/forward", "../d/file"),
      member({ name: "d/file" }, "text"),
      link("x/chain", "forward"),
      headerBlock({ name: "hard", linkName: "./d/file", type: "1" }),
    );
    for (const name of ["x/forward", "x/chain", "hard"]) expect(textOf(archive, name)).toBe("text");
  });

  it.each([
    { what: "a link out", members: [link("l", "../etc/passwd")] },
    { what: "an absolute link", members: [link("l", "/etc/passwd")] },
    { what: "a link to itself", members: [link("l", "l")] },
    { what: "links in a circle", members: [link("l", "m"), link("m", "l")] },
    { what: "a dangling link", members: [link("l", "m")] },
    { what: "a directory", members: [headerBlock({ name: "l/", type: "5" })] },
    { what: "a fifo", members: [headerBlock({ name: "l", type: "6" })] },
    { what: "a member whose name leads out", members: [member({ name: "../l" }, "x")] },
  ])("finds nothing under the name of $what", ({ members }) => {
    expect(openTarFile(write(archiveOf(...members))).find("l")).toBeUndefined();
  });

  it("says that the archive is truncated, wherever it is cut", () => {
    const archive = archiveOf(member({ name: "a" }, "A".repeat(700)));
    for (const length of [1, 511, 513, 1000, 512 + 699]) {
      const path = write(archive.subarray(0, length));
      expect(refusal(() => openTarFile(path))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `${path}: the tar archive is truncated`,
      });
    }
  });

  it("names the archive when a member is at fault", () => {
    const path = write(archiveOf(headerBlock({ name: "odd", type: "S" })));
    expect(refusal(() => openTarFile(path)).message).toMatch(/image\.tar: odd: sparse/);
  });

  it("does not believe a size that the file does not have", () => {
    const path = write(archiveOf(headerBlock({ name: "big", size: 8 ** 11 - 1 })));
    expect(refusal(() => openTarFile(path)).code).toBe("IMAGE_INVALID");
  });

  it("says that there is no such archive", () => {
    expect(refusal(() => openTarFile(join(scratchDirectory(), "no"))).code).toBe("NOT_FOUND");
  });

  it("escapes the archive's own name in messages", () => {
    const path = join(scratchDirectory(), "a\x1b[2J\n");
    expect(refusal(() => openTarFile(path)).message).toContain("a\\x1b[2J\\x0a");
  });
});
