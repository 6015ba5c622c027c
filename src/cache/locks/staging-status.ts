import { readdirSync } from "node:fs";
import { join } from "node:path";
import { formatIdentity, type ProcessIdentity } from "../../host/process-identity.js";
import { isRecord } from "../../host/read-json.js";
import { readWholeFile } from "../../host/read-whole-file.js";
import type { CacheLayout } from "../layout.js";

/** How far a process is with what others wait for. */
export interface StagingStatus {
  /** The Slurm job that it belongs to; null where it belongs to none. */
  readonly job: string | null;
  /** When it began, by the clock of {@link now}, which all processes of a machine share. */
  readonly startedAt: number;
  /** Layers that are unpacked, or were before. */
  readonly finished: number;
  /** All layers; 0 as long as that is not known. */
  readonly total: number;
}

/** How the names begin of the files in which a process says how far it is; one for each staging. */
export function statusPrefix(identity: ProcessIdentity): string {
  return `${formatIdentity(identity)},status-`;
}

/** What is longer than this was not written by this program, in bytes. */
const longestStatus = 1000;

/**
 * How far a process says it is, with all that it stages together; undefined where it says nothing.
 * Nothing depends on it, so what can't be read is not said.
 */
export function readStatus(layout: CacheLayout, owner: ProcessIdentity): StagingStatus | undefined {
  const prefix = statusPrefix(owner);
  try {
    const names = readdirSync(layout.tmp).filter((name) => name.startsWith(prefix));
    const all = names.flatMap((name) => {
      return parseStatus(readWholeFile(join(layout.tmp, name), longestStatus).toString("utf8"));
    });
    return all.length === 0 ? undefined : all.reduce(together);
  } catch {
    return undefined;
  }
}

function together(a: StagingStatus, b: StagingStatus): StagingStatus {
  return {
    job: a.job ?? b.job,
    startedAt: Math.min(a.startedAt, b.startedAt),
    finished: a.finished + b.finished,
    total: a.total + b.total,
  };
}

/** Empty for what is half written, or no status. */
function parseStatus(text: string): readonly StagingStatus[] {
  if (!text.endsWith("\n")) return [];
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) return [];
  const { job, startedAt, finished, total } = value;
  if (![startedAt, finished, total].every(Number.isFinite)) return [];
  if (typeof startedAt !== "number" || typeof finished !== "number" || typeof total !== "number") {
    return [];
  }
  return [{ job: jobName(job), startedAt, finished, total }];
}

/** A job's ID as Slurm makes them; null for anything else. */
export function jobName(value: unknown): string | null {
  return typeof value === "string" && /^[\w.+-]{1,64}$/.test(value) ? value : null;
}
