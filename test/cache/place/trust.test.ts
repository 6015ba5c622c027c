import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { checkTrust as checkPlace, isOwners } from "../../../src/cache/place/trust.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const uid = process.geteuid?.() ?? 0;
const [other, third] = [4321, 4322];

function checkTrust(
  cacheDirectory: string,
  as = uid,
  trustedOwners: readonly number[] = [],
): ReturnType<typeof checkPlace> {
  return checkPlace({ cacheDirectory, uid: as, trustedOwners });
}

describe("checkTrust", () => {
  function made(mode = 0o700): string {
    const path = `${scratchDirectory()}/cache`;
    mkdirSync(path);
    chmodSync(path, mode);
    return path;
  }

  function doubtOf(path: string): string {
    const error = refusal(() => checkTrust(path));
    expect(error.code).toBe("CACHE_UNTRUSTED");
    expect(error.exitStatus).toBe(77);
    expect(error.message).toContain(path);
    return error.message;
  }

  test.each(["700", "750", "755", "2755", "711"])("trusts the caller's own of mode %s", (mode) => {
    expect(checkTrust(made(Number.parseInt(mode, 8)))).toBe("own");
  });

  test("has nothing against what does not exist", () => {
    expect(checkTrust(`${scratchDirectory()}/missing`)).toBe("missing");
  });

  test.each(["770", "720", "702", "777", "1777", "722"])("refuses one of mode %s", (mode) => {
    expect(doubtOf(made(Number.parseInt(mode, 8)))).toContain("can be written to by others");
  });

  test("refuses a symbolic link, to the caller's own directory too", () => {
    const link = `${scratchDirectory()}/link`;
    symlinkSync(made(), link);
    expect(doubtOf(link)).toContain("symbolic link");
  });

  test("refuses a dangling link", () => {
    const link = `${scratchDirectory()}/link`;
    symlinkSync("/nowhere", link);
    expect(doubtOf(link)).toContain("symbolic link");
  });

  test("refuses a file", () => {
    const path = `${scratchDirectory()}/file`;
    writeFileSync(path, "");
    expect(doubtOf(path)).toContain("not a directory");
  });

  test("refuses another user's", ({ skip }) => {
    skip(uid !== 0, "what root can give away, others can only look for");
    const path = made();
    chownSync(path, other, other);
    expect(doubtOf(path)).toMatch(/belongs to user 4321, not to you \(0\)/);
  });
});

const parts = [
  "/v1",
  ...["/v1/rootfs", "/v1/index", "/v1/layers"],
  ...["/v1/tmp", "/v1/locks", "/v1/leases", "/v1/blobs"],
];

describe("a cache of somebody else", () => {
  /** A directory that root shares, with another user's cache beside it. */
  function sharedByRoot(context: { skip: (condition: boolean, note: string) => void }): string {
    context.skip(uid !== 0, "only root has root's caches");
    const parent = scratchDirectory();
    chmodSync(parent, 0o755);
    const path = `${parent}/cache`;
    for (const name of ["", ...parts]) mkdirSync(`${path}${name}`, { mode: 0o755 });
    return path;
  }

  test("is trusted when it is root's", (context) => {
    expect(checkTrust(sharedByRoot(context), other)).toBe("foreign");
  });

  test("is trusted when it is said whose", (context) => {
    const path = sharedByRoot(context);
    for (const name of ["", ...parts]) chownSync(`${path}${name}`, third, third);
    expect(refusal(() => checkTrust(path, other))).toMatchObject({
      code: "CACHE_UNTRUSTED",
      hint: expect.stringContaining("--trust-owner 4322"),
    });
    expect(checkTrust(path, other, [third])).toBe("foreign");
    expect(checkTrust(path, 0, [third])).toBe("foreign");
    expect(checkTrust(path, third)).toBe("own");
  });

  test.each(parts)("is refused when %s is another's, a link, a file, or open to others", (name) => {
    if (uid !== 0) return;
    const skip = () => undefined;
    const given = sharedByRoot({ skip });
    chownSync(`${given}${name}`, other, other);
    const linked = sharedByRoot({ skip });
    rmSync(`${linked}${name}`, { recursive: true });
    symlinkSync("/tmp", `${linked}${name}`);
    const open = sharedByRoot({ skip });
    chmodSync(`${open}${name}`, 0o775);
    const blocked = sharedByRoot({ skip });
    rmSync(`${blocked}${name}`, { recursive: true });
    writeFileSync(`${blocked}${name}`, "");
    const reasons = [given, linked, blocked, open].flatMap((path) =>
      [other, 0].map((user) => {
        const error = refusal(() => checkTrust(path, user));
        expect(error).toMatchObject({ code: "CACHE_UNTRUSTED", exitStatus: 77 });
        expect(error.message).toContain(`${path}${name} `);
        return error.message.slice(error.message.indexOf(name) + name.length + 1);
      }),
    );
    const link = "is a symbolic link";
    expect(reasons).toEqual([
      "belongs to user 4321, not to 0",
      "belongs to user 4321, not to 0",
      link,
      link,
      "is not a directory",
      "is not a directory",
      "can be written to by others",
      "can be written to by others",
    ]);
  });
});

describe("the way to a cache", () => {
  /** A directory above a cache that is to be made. */
  function above(mode: number): { parent: string; cache: string } {
    const parent = `${scratchDirectory()}/parent`;
    mkdirSync(`${parent}/below`, { recursive: true });
    chmodSync(parent, mode);
    return { parent, cache: `${parent}/below/cache` };
  }

  function expectRefused(cache: string, said: string): void {
    for (const make of [() => undefined, () => mkdirSync(cache, { mode: 0o700 })]) {
      make();
      const error = refusal(() => checkTrust(cache));
      expect(error).toMatchObject({ code: "CACHE_UNTRUSTED", exitStatus: 77 });
      expect(error.message).toBe(`the cache ${cache} could be replaced: ${said}`);
    }
  }

  test.each(["755", "700", "1777", "1775", "2755"])("may lead through one of mode %s", (mode) => {
    expect(checkTrust(above(Number.parseInt(mode, 8)).cache)).toBe("missing");
  });

  test.each([
    ["775", /^can be written to by group \d+$/],
    ["2770", /^can be written to by group \d+$/],
    ["777", /^can be written to by everybody$/],
    ["702", /^can be written to by everybody$/],
  ])("may not lead through one of mode %s", (mode, reason) => {
    const { parent, cache } = above(Number.parseInt(mode, 8));
    const { message } = refusal(() => checkTrust(cache));
    expect(message.split(`${parent} `)[1]).toMatch(reason);
    expectRefused(cache, `${parent} ${message.split(`${parent} `)[1]}`);
  });

  test("may not lead through another user's", ({ skip }) => {
    skip(uid !== 0, "only root can give a directory away");
    const { parent, cache } = above(0o755);
    chownSync(parent, other, other);
    expectRefused(cache, `${parent} belongs to user 4321`);
    expect(refusal(() => checkTrust(cache, third)).code).toBe("CACHE_UNTRUSTED");
  });

  test("leads where links do, and is looked at there too", () => {
    const { parent, cache } = above(0o777);
    const link = `${scratchDirectory()}/link`;
    symlinkSync(parent, link);
    const reason = `${parent} can be written to by everybody`;
    expectRefused(cache.replace(parent, link), reason);
    const relative = `${scratchDirectory()}/relative`;
    symlinkSync(`..${"/..".repeat(9)}${parent}/below`, relative);
    expect(refusal(() => checkTrust(`${relative}/cache`)).message).toContain(reason);
  });

  test("may not lead through a link that somebody else has made", ({ skip }) => {
    skip(uid !== 0, "only root can give a link away");
    const link = `${scratchDirectory()}/link`;
    symlinkSync(scratchDirectory(), link);
    expect(checkTrust(`${link}/cache`)).toBe("missing");
    lchownSync(link, other, other);
    expectRefused(`${link}/cache`, `${link} belongs to user 4321`);
  });

  test("ends in a loop of links", () => {
    const directory = scratchDirectory();
    symlinkSync("loop", `${directory}/loop`);
    expect(refusal(() => checkTrust(`${directory}/loop/cache`)).message).toMatch(/symbolic links/);
  });
});

describe("isOwners", () => {
  test("is true of what belongs to whom the directory does", () => {
    const path = `${scratchDirectory()}/file`;
    expect(isOwners(path)).toBe(false);
    writeFileSync(path, "", { mode: 0o644 });
    expect(isOwners(path)).toBe(true);
    chmodSync(path, 0o664);
    expect(isOwners(path)).toBe(false);
    symlinkSync("/etc", `${path}-link`);
    expect(isOwners(`${path}-link`)).toBe(false);
  });

  test("is false of what is another's", ({ skip }) => {
    skip(uid !== 0, "only root can give a file away");
    const path = `${scratchDirectory()}/file`;
    writeFileSync(path, "", { mode: 0o644 });
    chownSync(path, other, other);
    expect(isOwners(path)).toBe(false);
  });
});
