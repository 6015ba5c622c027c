import { describe, expect, test } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { findEntries } from "../../../src/stage/manage/find-entries.js";
import { refusal } from "../../support/refusal.js";

const directory = "/no/such/cache";
const layout = new CacheLayout(directory);
const hex = (start: string) => start.padEnd(64, "0");

function entry(key: string, reference?: string) {
  const imageId = key.replace(/^sha256-([0-9a-f]*).*/, "sha256:$1");
  const config = { user: null, env: [], entrypoint: null, cmd: null, workingDir: null };
  const rest = { labels: {}, volumes: [], exposedPorts: [], stopSignal: null };
  const source = { kind: "registry", path: null, digest: null } as const;
  const details = {
    imageId,
    platform: "linux/amd64",
    config: { ...config, ...rest },
    layers: [],
    mountPoints: [],
    warnings: [],
    ...(reference === undefined ? {} : { source: { ...source, reference } }),
  };
  return { key, details, path: layout.entry(key), stagedAt: 0, lastUse: 0, leases: [] };
}

const a = entry(`sha256-${hex("abcdef0001")}`, "docker://debian:12");
const aMounts = entry(`sha256-${hex("abcdef0001")}-mounts-0123456789abcdef`, "docker://debian:12");
const aSetuid = entry(`sha256-${hex("abcdef0001")}-setuid`);
const b = entry(`sha256-${hex("abcdef0002")}`);
const c = entry(`sha256-${hex("1234")}-squash`);
const entries = [a, aMounts, aSetuid, b, c];
const find = (word: string) =>
  findEntries(word, { cache: { directory, layout, exists: true }, entries });

describe("a word names", () => {
  test.each<readonly [string, string, readonly ReturnType<typeof entry>[]]>([
    ["a key", a.key, [a]],
    ["a variant's key", aMounts.key, [aMounts]],
    ["a key without the algorithm", hex("abcdef0002"), [b]],
    ["the beginning of a key", "sha256-abcdef0002", [b]],
    ["the beginning of a digest, which is the plain variant", "abcdef0001", [a]],
    ["a key as ls shows it", "abcdef000100-mounts-012345", [aMounts]],
    ["the beginning of the only variant", "1234", [c]],
    ["an image ID, with all variants", `sha256:${hex("abcdef0001")}`, [a, aMounts, aSetuid]],
    ["a rootfs", `${directory}/v1/rootfs/${a.key}/rootfs`, [a]],
    ["a path in a rootfs", `${directory}/v1/rootfs/${b.key}/rootfs/usr/bin/../lib`, [b]],
    ["the reference it was staged from", "docker://debian:12", [a, aMounts]],
  ])("%s", (_, word, found) => {
    expect(find(word)).toEqual(found);
  });

  test.each(
    ["abcdef", "abcdef000", "sha256-abcdef", "abcdef0001-s"].map((word) => [word] as const),
  )("several keys by the beginning %s, or one", (word) => {
    if (word === "abcdef0001-s") expect(find(word)).toEqual([aSetuid]);
    else expect(refusal(() => find(word)).code).toBe("REFERENCE_AMBIGUOUS");
  });

  test.each([
    "abc",
    "abcdef0003",
    "image.tar",
    "docker://debian:13",
    "/no/such",
    directory,
    "..",
    "",
  ])("nothing: %j", (word) => {
    expect(refusal(() => find(word)).code).toBe("NOT_FOUND");
  });
});
