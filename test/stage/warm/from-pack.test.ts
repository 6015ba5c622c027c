import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { packImage } from "../../../src/stage/pack/pack-image.js";
import type { WarmEvent } from "../../../src/stage/warm/warm-event.js";
import { warmImages } from "../../../src/stage/warm/warm-images.js";
import { startOddRegistry } from "../../support/odd-registry.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

/** A registry's image, packed here, and what warms another cache with it. */
async function packed() {
  const server = await startOddRegistry();
  const scratch = scratchDirectory();
  const from = `${scratch}/packs`;
  const image = server.reference();
  const { path } = await packImage(image, { directory: from, cacheDir: `${scratch}/here` });
  const before = server.seen().length;
  const events: WarmEvent[] = [];
  const warm = async (options: { offline?: boolean } = {}) => {
    const onEvent = (event: WarmEvent) => void events.push(event);
    const cacheDir = `${scratch}/there`;
    const { images } = await warmImages([image], { cacheDir, from, onEvent, ...options });
    return images[0];
  };
  const retried = () => events.filter((e) => e.type === "image" && e.state === "retrying");
  return { warm, path, from, retried, requests: () => server.seen().length - before };
}

function breakOneByte(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length - 5000;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

const useless = [
  ["broken", breakOneByte, { code: "DIGEST_MISMATCH" }],
  ["missing", (path: string) => rmSync(path), { code: "NOT_FOUND" }],
] as const;

describe("an image that is warmed from a pack", () => {
  test("is not asked for anywhere else", async () => {
    const { warm, requests, retried, from } = await packed();
    expect(await warm()).toMatchObject({ state: "staged" });
    expect(retried()).toEqual([]);
    expect(readdirSync(from)).toHaveLength(1);
    rmSync(from, { recursive: true });
    // It stands, and its tag is known.
    expect(await warm({ offline: true })).toMatchObject({ state: "hit" });
    expect(requests()).toBe(0);
  });

  test.each(useless)("that is %s comes from the registry, and why is told", async (...how) => {
    const [, spoil, error] = how;
    const { warm, requests, retried, path } = await packed();
    spoil(path);
    expect(await warm()).toMatchObject({ state: "staged" });
    expect(retried()).toMatchObject([{ attempt: 2, error }]);
    expect(requests()).toBeGreaterThan(0);
  });

  test.each(useless)("that is %s fails where no registry is to be asked", async (...how) => {
    const [, spoil, error] = how;
    const { warm, requests, path } = await packed();
    spoil(path);
    const end = await warm({ offline: true });
    expect(end).toMatchObject({ state: "failed", error });
    expect(requests()).toBe(0);
  });
});
