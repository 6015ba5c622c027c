import { type EngineFacts, engineFacts } from "../host/engine-facts.js";
import { type NodeFacts, nodeFacts } from "../host/node-facts.js";
import { type OptionalParts, optionalParts } from "../host/optional-parts.js";
import { type SandboxLimits, sandboxLimits } from "../host/sandbox-limits.js";
import { examineRuntimes, type RuntimeExamination } from "../launch/choice/examine-runtimes.js";
import { findProgram } from "../launch/find-program.js";
import type { RuntimeName } from "../launch/runtime.js";
import {
  type CacheExamination,
  type ExamineOptions,
  examineCache,
} from "../stage/manage/examine-cache.js";

/** What a node can do for stage-rootfs. */
export interface DoctorReport {
  readonly node: NodeFacts;
  readonly limits: SandboxLimits;
  readonly engines: EngineFacts;
  readonly parts: OptionalParts;
  readonly slurm: { readonly squeue: string | undefined; readonly job: string | undefined };
  readonly cache: CacheExamination;
  readonly runtimes: readonly RuntimeExamination[];
}

/** Looks at the node, and tries its runtimes; changes nothing. @throws StageError CONFIG */
export async function doctorReport(
  options: ExamineOptions & { readonly runtimes: readonly RuntimeName[] },
): Promise<DoctorReport> {
  return {
    node: nodeFacts(),
    limits: sandboxLimits(),
    engines: engineFacts(),
    parts: optionalParts(),
    slurm: {
      squeue: findProgram("squeue", process.env["PATH"]),
      job: process.env["SLURM_JOB_ID"] || undefined,
    },
    cache: examineCache(options),
    runtimes: await examineRuntimes(options.runtimes),
  };
}

/** The first runtime that isolates, and works. */
export function usableRuntime({ runtimes }: DoctorReport): RuntimeExamination | undefined {
  return runtimes.find(({ isolates, works }) => isolates && works);
}

/** 0 where images can be staged and run; else what the cache's problem, or `run`, would give. */
export function doctorStatus(report: DoctorReport): number {
  if (report.cache.problem) return report.cache.problem.exitStatus;
  return usableRuntime(report) ? 0 : 125;
}

/** The report as JSON: null for what is not known or not there. */
export function doctorJson(report: DoctorReport): object {
  const { cache, slurm, runtimes } = report;
  const { disk, problem } = cache;
  return {
    schemaVersion: 1,
    isReady: doctorStatus(report) === 0,
    node: report.node,
    limits: { ...report.limits, maxUserNamespaces: report.limits.maxUserNamespaces ?? null },
    engines: { ...report.engines, runtimeDirectory: report.engines.runtimeDirectory ?? null },
    parts: report.parts,
    slurm: { squeue: slurm.squeue ?? null, job: slurm.job ?? null },
    cache: {
      directory: cache.directory,
      standing: cache.standing,
      disk: disk
        ? { ...disk, mountPoint: disk.mountPoint ?? null, freeInodes: disk.freeInodes ?? null }
        : null,
      hasLinks: cache.hasLinks ?? null,
      hasAttributes: cache.hasAttributes ?? null,
      problem: problem?.toReport() ?? null,
    },
    runtimes: runtimes.map(({ program, version, ...rest }) => {
      return { ...rest, program: program ?? null, version: version ?? null };
    }),
  };
}
