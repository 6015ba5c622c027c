import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRegularFile, readFully, readSpan, readStart } from "../../src/host/span.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

function file(content: string): string {
  const path = join(scratchDirectory(), "file");
  writeFileSync(path, content);
  return path;
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

describe("openRegularFile", () => {
  it("opens a file and knows its size", () => {
    const { fd, size } = openRegularFile(file("12345"));
    closeSync(fd);
    expect(size).toBe(5);
  });

  it("refuses what is no regular file, without waiting for it and without leaving it open", async () => {
    const directory = scratchDirectory();
    execFileSync("mkfifo", [join(directory, "fifo")]);
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(join(directory, "socket"), resolve));
    const before = openFiles();
    for (const path of [
      join(directory, "fifo"),
      join(directory, "socket"),
      directory,
      "/dev/zero",
    ]) {
      expect(refusal(() => openRegularFile(path))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `${path} is not a regular file`,
      });
    }
    expect(openFiles()).toBe(before);
  });

  it("says that there is no such file", () => {
    const path = join(scratchDirectory(), "nosuch");
    expect(refusal(() => openRegularFile(path))).toMatchObject({
      code: "NOT_FOUND",
      message: `cannot read ${path}: no such file or directory`,
    });
  });
});

describe("readFully", () => {
  it("reads up to the end and says how much that was", () => {
    const fd = openSync(file("0123456789"), "r");
    onTestFinished(() => closeSync(fd));
    const bytes = Buffer.alloc(4);
    expect(readFully(fd, bytes, 2)).toBe(4);
    expect(bytes.toString()).toBe("2345");
    expect(readFully(fd, bytes, 8)).toBe(2);
    expect(bytes.toString("latin1", 0, 2)).toBe("89");
    expect(readFully(fd, bytes, 20)).toBe(0);
    expect(readFully(fd, Buffer.alloc(0), 0)).toBe(0);
  });
});

describe("readSpan and readStart", () => {
  it.each([
    { offset: 0, size: 10, text: "0123456789" },
    { offset: 3, size: 4, text: "3456" },
    { offset: 10, size: 0, text: "" },
  ])("read $size bytes from $offset", ({ offset, size, text }) => {
    expect(readSpan({ path: file("0123456789"), offset, size }).toString()).toBe(text);
  });

  it("read only the start where that is asked for", () => {
    const span = { path: file("0123456789"), offset: 2, size: 5 };
    expect(readStart(span, 3).toString()).toBe("234");
    expect(readStart(span, 100).toString()).toBe("23456");
  });

  it("say where a file ends too early", () => {
    const path = file("0123456789");
    expect(refusal(() => readSpan({ path, offset: 5, size: 8 }))).toMatchObject({
      code: "IMAGE_INVALID",
      message: `${path} is truncated: it ends at byte 10, 3 bytes early`,
    });
    truncateSync(path, 4);
    expect(refusal(() => readSpan({ path, offset: 5, size: 1 })).code).toBe("IMAGE_INVALID");
  });

  it("leave no file open, whatever happens", () => {
    const path = file("x");
    mkdirSync(`${path}.d`);
    const before = openFiles();
    readSpan({ path, offset: 0, size: 1 });
    refusal(() => readSpan({ path, offset: 0, size: 2 }));
    refusal(() => readSpan({ path: `${path}.d`, offset: 0, size: 2 }));
    expect(openFiles()).toBe(before);
  });
});
