import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  isIntact,
  markChanged,
  markDurable,
  markLost,
  markNew,
  pendingMark,
  removeMark,
} from "../../../src/cache/durability/durability-mark.js";
import { bootId } from "../../../src/host/process-identity.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

vi.mock("../../../src/host/process-identity.js", { spy: true });

const thisBoot = "11111111-1111-4111-8111-111111111111";
const nextBoot = "22222222-2222-4222-8222-222222222222";

beforeEach(() => void vi.mocked(bootId).mockReturnValue(thisBoot));

function startAnew(): void {
  vi.mocked(bootId).mockReturnValue(nextBoot);
}

function published(): string {
  const directory = scratchDirectory();
  markNew(directory);
  return directory;
}

function pendingOf(directory: string) {
  const mark = pendingMark(directory);
  if (!mark) throw new Error("nothing is pending");
  return mark;
}

describe("what was published", () => {
  test("is intact until the machine starts anew", () => {
    const directory = published();
    expect(isIntact(directory)).toBe(true);
    startAnew();
    expect(isIntact(directory)).toBe(false);
    expect(pendingMark(directory)).toBeUndefined();
  });

  test("is intact after that when it was on the disk", () => {
    const directory = published();
    markDurable(pendingOf(directory));
    expect(readdirSync(directory)).toEqual(["durable"]);
    expect(isIntact(directory)).toBe(true);
    expect(pendingMark(directory)).toBeUndefined();
    startAnew();
    expect(isIntact(directory)).toBe(true);
  });

  test("is as new when it is changed, and can become durable again", () => {
    const directory = published();
    markDurable(pendingOf(directory));
    markChanged(directory);
    expect(isIntact(directory)).toBe(true);
    const pending = pendingOf(directory);
    startAnew();
    expect(isIntact(directory)).toBe(false);
    vi.mocked(bootId).mockReturnValue(thisBoot);
    markDurable(pending);
    startAnew();
    expect(isIntact(directory)).toBe(true);
  });

  test("stays what it is when it is changed before it was durable", () => {
    const directory = published();
    const before = readdirSync(directory);
    markChanged(directory);
    expect(readdirSync(directory)).toEqual(before);
  });

  test("that the disk has refused is never durable, and intact until the next boot", () => {
    const directory = published();
    markLost(pendingOf(directory));
    expect(isIntact(directory)).toBe(true);
    expect(pendingMark(directory)).toBeUndefined();
    startAnew();
    expect(isIntact(directory)).toBe(false);
  });

  test("is not intact without a mark", () => {
    const directory = published();
    removeMark(pendingOf(directory));
    expect(isIntact(directory)).toBe(false);
    removeMark({ directory, name: "gone" });
  });

  test("is not made durable by a sync before it took another's place", () => {
    const directory = published();
    const pending = pendingOf(directory);
    removeMark(pending);
    markNew(directory);
    markDurable(pending);
    startAnew();
    expect(isIntact(directory)).toBe(false);
  });
});

test.each([
  ["nothing", () => undefined],
  ["an empty directory", (path: string) => mkdirSync(path)],
  ["a file", (path: string) => writeFileSync(path, "")],
])("%s is not intact", (_, make) => {
  const path = `${scratchDirectory()}/thing`;
  make(path);
  expect(isIntact(path)).toBe(false);
  expect(pendingMark(path)).toBeUndefined();
});
