import { expect, test } from "vitest";
import { gcText } from "../../src/cli/gc-text.js";
import type { GcReport } from "../../src/stage/gc/gc-options.js";

const day = 24 * 3600 * 1000;
const report: GcReport = {
  schemaVersion: 1,
  cache: "/c",
  dryRun: false,
  entries: [
    { key: "k1", imageId: "i", reason: "max-age", lastUse: -40 * day, bytes: 5e9, inodes: 9 },
    { key: "k2", imageId: "i", reason: "room", lastUse: 0, bytes: 100, inodes: 9 },
  ],
  layers: ["l"],
  leases: [{ key: "k", lease: "slurm-1" }],
  leftovers: 2,
  sources: 3,
  freed: { bytes: 6e9, inodes: 18 },
  size: { bytes: 1e9, inodes: 4 },
  free: 1,
  stay: [{ key: "k3", why: "leased by slurm-2" }],
  unmet: [],
  warnings: [],
};

test("a report says what went and why, what stays and why, and the sum", () => {
  expect(gcText(report, 0).split("\n")).toEqual([
    "removed k1  4.7G, last used 40d ago: unused for too long",
    "removed k2  100, last used 0s ago: the disk was too full",
    "removed 1 layer, 1 dead lease, 2 leftovers of dead processes, 3 forgotten sources",
    "kept k3: leased by slurm-2",
    "freed about 5.6G and 18 inodes; the cache takes about 954M",
    "",
  ]);
});

test("of a dry run it says what would be", () => {
  const text = gcText({
    ...report,
    dryRun: true,
    layers: [],
    leases: [],
    leftovers: 0,
    sources: 0,
  });
  const lines = text.split("\n");
  expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    "would remove",
    "would remove",
    "would keep",
    "would free",
    "",
  ]);
});
