import { describe, expect, test } from "vitest";
import { listingText, shortKeys } from "../../src/cli/ls-text.js";
import type { CacheListing, ListedEntry } from "../../src/stage/manage/list-cache.js";

const now = Date.UTC(2026, 10, 22, 16);
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
const digest = (start: string) => start.padEnd(64, "0");

function entry(changes: Partial<ListedEntry> = {}): ListedEntry {
  const hex = digest("0123456789abcdef");
  const source = {
    reference: "image.tar",
    kind: "archive",
    path: "/image.tar",
    digest: null,
  } as const;
  return {
    key: `sha256-${hex}`,
    rootfs: "/c/v1/rootfs/k/rootfs",
    imageId: `sha256:${hex}`,
    platform: "linux/amd64",
    source,
    size: 3 * 1024 ** 3,
    shared: 1024 ** 2,
    own: 1,
    layers: [],
    stagedAt: ago(3 * 24 * 3600),
    lastUse: ago(5 * 60),
    leases: [],
    ...changes,
  };
}

function lease(text: string, state: "alive" | "dead" | "unknown" = "alive") {
  const protects = state !== "dead";
  return { lease: text, kind: "job", state, protects, takenAt: ago(90), owner: 1000 } as const;
}

function text(entries: readonly ListedEntry[], { width = 80, leases = false } = {}): string {
  const listing: CacheListing = {
    schemaVersion: 1,
    cache: "/c",
    exists: true,
    entries,
    layers: [],
  };
  return listingText(listing, { now, width, leases });
}

describe("the table of a cache", () => {
  test("shows what each entry is and how it is used", () => {
    const leases = [lease("process-1", "dead"), lease("slurm-4711", "unknown"), lease("process-2")];
    expect(text([entry(), entry({ leases, source: null })])).toBe(
      [
        "KEY           SIZE  SHARED  AGE  USED  LEASES         IMAGE",
        "0123456789ab  3.0G    1.0M   3d    5m  -              image.tar",
        "0123456789ab  3.0G    1.0M   3d    5m  slurm-4711 +1  sha256:0…00000000000000000",
        "",
      ].join("\n"),
    );
  });

  test("gives each lease a line of its own, where that is wanted", () => {
    const leases = [lease("process-1", "dead"), lease("slurm-4711", "unknown")];
    expect(
      text([entry({ leases })], { leases: true })
        .split("\n")
        .slice(2),
    ).toEqual([
      "  process-1 (over), taken 90s ago by user 1000",
      "  slurm-4711, taken 90s ago by user 1000",
      "",
    ]);
  });

  test("says which leases are not believed, and counts them as none", () => {
    const leases = [{ ...lease("process-1"), protects: false }];
    expect(
      text([entry({ leases })], { leases: true })
        .split("\n")
        .slice(1),
    ).toEqual([
      "0123456789ab  3.0G    1.0M   3d    5m  -       image.tar",
      "  process-1 (not believed), taken 90s ago by user 1000",
      "",
    ]);
  });

  test.each([40, 80, 200])("fits %i columns, as far as it can", (width) => {
    const reference = `docker://registry.example.org:5000/${"group/".repeat(20)}name:tag`;
    const source = { reference, kind: "registry", path: null, digest: null } as const;
    const lines = text([entry({ source, leases: [lease("slurm-4711")] })], { width }).split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(width, 67));
    expect(lines[1]).toMatch(/^0123456789ab .* doc.*tag$/);
  });

  test("writes nothing to the terminal but its lines", () => {
    const reference = "evil\n\u001b[2Jname";
    const source = { reference, kind: "archive", path: null, digest: null } as const;
    expect(text([entry({ source })])).toMatch(/evil\\x0a\\x1b\[2Jname\n$/);
  });

  test("is empty for nothing", () => {
    expect(text([])).toBe("");
  });
});

describe("short keys", () => {
  test("tell keys apart, and variants of one image", () => {
    const one = digest("0123456789abcdef1");
    const two = digest("0123456789abcdef2");
    expect(shortKeys([`sha256-${one}`, `sha256-${two}-squash`])).toEqual([
      "0123456789abcdef1",
      "0123456789abcdef2-squash",
    ]);
    expect(
      shortKeys([`sha256-${one}`, `sha256-${one}-mounts-fedcba9876543210`, `sha256-${one}-setuid`]),
    ).toEqual(["0123456789ab", "0123456789ab-mounts-fedcba", "0123456789ab-setuid"]);
  });
});
