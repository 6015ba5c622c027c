import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fileIdentity } from "../../src/cache/index/source-index.js";
import { answerHit } from "../../src/cli/hit.js";
import { type FollowOptions, followForerunner } from "../../src/stage/follow.js";
import { checkRequest, type StageOptions } from "../../src/stage/request.js";
import { stageRootfs } from "../../src/stage.js";
import { identityOf, ownedName } from "../support/identities.js";
import { file } from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

function coldImage(): { image: string; cacheDir: string; ahead: string } {
  const image = archiveFile([[file("f", "content")]]);
  const cacheDir = `${scratchDirectory()}/cache`;
  const { name } = fileIdentity(statSync(image, { bigint: true }));
  return { image, cacheDir, ahead: `${cacheDir}/v1/locks/ahead-${name}` };
}

/** Another process that goes ahead, and does that. */
async function goesAhead(ahead: string, script: string): Promise<number> {
  const child = spawn("sh", ["-c", script], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const { pid = 0 } = child;
  mkdirSync(ahead, { recursive: true, mode: 0o700 });
  writeFileSync(`${ahead}/${ownedName(identityOf(pid))}`, "");
  return pid;
}

function follow(image: string, options: StageOptions) {
  const [onWait, onAhead] = [vi.fn<FollowOptions["onWait"]>(), vi.fn<FollowOptions["onAhead"]>()];
  const result = followForerunner(checkRequest(image, options), { onWait, onAhead });
  return { result, onWait, onAhead };
}

describe("followForerunner", () => {
  test("goes ahead of the others in a new cache, and can step aside", () => {
    const { image, cacheDir, ahead } = coldImage();
    const { result, onWait, onAhead } = follow(image, { cacheDir });
    expect(result).toBeUndefined();
    expect(onWait).not.toHaveBeenCalled();
    expect(existsSync(ahead)).toBe(true);
    onAhead.mock.calls[0]?.[0]();
    expect(existsSync(ahead)).toBe(false);
  });

  test("has what the other one has staged, and says how long that took", async () => {
    const { image, cacheDir, ahead } = coldImage();
    await stageRootfs(image, { cacheDir });
    await goesAhead(ahead, "sleep 30");
    const { result, onAhead } = follow(image, { cacheDir });
    expect(result).toMatchObject({ hit: true, layers: [{ reused: true }] });
    expect(result?.timings.waitMs).toBeLessThan(result?.timings.totalMs ?? 0);
    expect(onAhead).not.toHaveBeenCalled();
  });

  test("goes ahead when the other one dies, having said for whom it waits", async () => {
    const { image, cacheDir, ahead } = coldImage();
    const pid = await goesAhead(ahead, "sleep 1.3");
    const { result, onWait, onAhead } = follow(image, { cacheDir });
    expect(result).toBeUndefined();
    expect(onAhead).toHaveBeenCalledOnce();
    expect(onWait.mock.calls[0]?.[0]).toMatchObject({ type: "waiting", pid });
    const [first, second, ...others] = onWait.mock.calls.map(([event]) => event.waitedMs);
    expect(first).toBeLessThan(500);
    expect(second).toBeGreaterThanOrEqual(1000);
    expect(others).toEqual([]);
  });

  test("says how long it has waited when it goes ahead then", async () => {
    const { image, cacheDir, ahead } = coldImage();
    await goesAhead(ahead, "sleep 0.3");
    const { isAnswered, waitedMs } = answerHit([image, "--cache-dir", cacheDir, "--quiet"]);
    expect(isAnswered).toBe(false);
    expect(waitedMs).toBeGreaterThan(100);
    for (const hit of [false, true]) {
      const result = await stageRootfs(image, { cacheDir, waitedMs });
      expect(result.hit).toBe(hit);
      const { waitMs, totalMs, resolveMs } = result.timings;
      expect(waitMs).toBeCloseTo(waitedMs, 0);
      expect(totalMs).toBeGreaterThanOrEqual(waitMs + resolveMs - 0.2);
    }
  });

  test("sees for itself, beside all the others, when the other one ends without a result", async () => {
    const { image, cacheDir, ahead } = coldImage();
    await goesAhead(ahead, `sleep 0.3; rm -r '${ahead}'; sleep 30`);
    const { result, onAhead } = follow(image, { cacheDir });
    expect(result).toBeUndefined();
    expect(onAhead).not.toHaveBeenCalled();
    expect(existsSync(ahead)).toBe(false);
  });

  test("stops waiting at the deadline, and the next look says how far the other one is", async () => {
    const { image, cacheDir, ahead } = coldImage();
    const pid = await goesAhead(ahead, "sleep 30");
    const start = performance.now();
    const { isAnswered, waitedMs } = answerHit([image, "--cache-dir", cacheDir, "--deadline", "1"]);
    expect(isAnswered).toBe(false);
    expect(waitedMs).toBeGreaterThanOrEqual(1000);
    expect(performance.now() - start).toBeLessThan(2500);
    const late = stageRootfs(image, { cacheDir, deadline: 1, waitedMs });
    await expect(late).rejects.toThrow(`was not ready within 1 s: process ${pid} on`);
  });

  test("waits for nobody where the image is on standard input", () => {
    const { cacheDir } = coldImage();
    const { result, onWait, onAhead } = follow("-", { cacheDir });
    expect([result, onWait.mock.calls, onAhead.mock.calls]).toEqual([undefined, [], []]);
    expect(existsSync(cacheDir)).toBe(false);
  });
});
