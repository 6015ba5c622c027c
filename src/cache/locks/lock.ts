import { setTimeout as sleep } from "node:timers/promises";
import { lock as lockFile } from "proper-lockfile";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { now } from "../../host/clock.js";
import { livenessOf, type ProcessIdentity } from "../../host/process-identity.js";
import { lockOwner } from "./lock-directory.js";
import { type LockFileSystem, lockFileSystem } from "./lock-file-system.js";
import { LockWatch, silence } from "./lock-watch.js";
import { callInterval, pauseAfter } from "./pauses.js";
import type { StagingStatus } from "./staging-status.js";

export interface LockOptions<Adopted> {
  /** What is locked, for messages: `the layer sha256:…`. */
  readonly what: string;
  /** How long to wait for the lock, in seconds; undefined for as long as it takes. */
  readonly wait?: number | undefined;
  /** Looks whether the lock's owner has done the work; then there is no need for the lock. */
  readonly adopt: () => Adopted | undefined;
  /** Called when it turns out that there is somebody to wait for, and then each second. */
  readonly onWait?: ((owner: ProcessIdentity | undefined, waitedMs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How far a staging is, for the message when the wait is over. */
  readonly statusOf?: ((owner: ProcessIdentity) => StagingStatus | undefined) | undefined;
  /** Whether it is for making room: then a full disk does not keep it from being taken. */
  readonly makesRoom?: boolean | undefined;
}

export type LockOutcome<Adopted> =
  | { readonly kind: "adopted"; readonly value: Adopted; readonly waitedMs: number }
  | {
      readonly kind: "locked";
      readonly release: () => Promise<void>;
      readonly waitedMs: number;
    };

/**
 * Takes the lock at `path`, or adopts what another process made under it meanwhile. A living owner
 * is waited for, a dead one is replaced at once.
 * @throws StageError BUSY when the wait is over, NOT_WRITABLE, NO_SPACE, PERMISSION; what `signal`
 * was aborted with
 */
export async function lockOrAdopt<Adopted>(
  path: string,
  options: LockOptions<Adopted>,
): Promise<LockOutcome<Adopted>> {
  const { what, wait, adopt, onWait, signal, makesRoom } = options;
  const start = now();
  const patience = wait === undefined ? Number.POSITIVE_INFINITY : wait * 1000;
  const watch = new LockWatch();
  let nextCall = 0;
  for (let round = 0; ; round++) {
    signal?.throwIfAborted();
    const value = adopt();
    const waitedMs = round === 0 ? 0 : now() - start;
    if (value !== undefined) return { kind: "adopted", value, waitedMs };
    const holder = holderOf(path);
    // To try for a lock takes ten times as long as to see that somebody has it, and many may wait.
    const isHeld = holder !== undefined && livenessOf(holder) === "alive";
    const release = isHeld
      ? undefined
      : await tryLock(path, lockFileSystem(watch, { mayUseSpare: makesRoom }));
    if (release) return { kind: "locked", release, waitedMs };
    const owner = isHeld ? holder : holderOf(path);
    const soFar = now() - start;
    if (soFar >= nextCall) {
      onWait?.(owner, soFar);
      nextCall = soFar + callInterval;
    }
    const left = patience - soFar;
    if (left <= 0) {
      const status = owner && options.statusOf?.(owner);
      throw busy(what, { owner, status, wait: wait ?? 0 });
    }
    const pause = Math.min(pauseAfter(round), left);
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

function holderOf(path: string): ProcessIdentity | undefined {
  try {
    return lockOwner(path);
  } catch (error) {
    throw fromSystemError(error, `lock ${path}`);
  }
}

/** @returns undefined when somebody else holds the lock */
async function tryLock(
  path: string,
  fs: LockFileSystem,
): Promise<(() => Promise<void>) | undefined> {
  try {
    // Nothing depends on holding the lock for correctness (what is made is published by one
    // rename), so losing it, say because somebody deleted the cache, needs no alarm here.
    const onCompromised = () => undefined;
    const release = await lockFile(path, {
      lockfilePath: path,
      realpath: false,
      stale: silence,
      fs,
      onCompromised,
    });
    return () => release().catch((error: unknown) => ignoreReleased(error, path));
  } catch (error) {
    if (errnoOf(error) === "ELOCKED") return undefined;
    throw fromSystemError(error, `lock ${path}`);
  }
}

/** A lock that was lost needs no release. */
function ignoreReleased(error: unknown, path: string): void {
  const code = errnoOf(error);
  if (code === "ERELEASED" || code === "ENOTACQUIRED") return;
  throw fromSystemError(error, `unlock ${path}`);
}

function busy(
  what: string,
  state: {
    owner: ProcessIdentity | undefined;
    status: StagingStatus | undefined;
    wait: number;
  },
): StageError {
  const { owner, status, wait } = state;
  const progress = status ? ` (${progressText(status)})` : "";
  const by = owner ? ` by process ${owner.pid} on ${owner.host}${progress}` : "";
  return new StageError("BUSY", `${what} is still being staged${by} after ${wait} s`, {
    hint: "try again later, or wait longer with --wait SECONDS",
  });
}

function progressText({ job, finished, total, startedAt }: StagingStatus): string {
  const seconds = Math.max(0, Math.round((now() - startedAt) / 1000));
  const progress =
    total === 0 ? `begun ${seconds} s ago` : `${finished} of ${total} layers in ${seconds} s`;
  return job === null ? progress : `job ${job}, ${progress}`;
}
