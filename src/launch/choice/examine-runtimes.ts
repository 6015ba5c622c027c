import { findProgram } from "../find-program.js";
import { type LaunchOptions, planLaunch } from "../plan.js";
import type { RuntimeName } from "../runtime.js";
import { notInstalled } from "./choose-runtime.js";
import type { RuntimeAnswer, Trouble } from "./runtime-answer.js";
import { tryRuntime } from "./try-runtime.js";

/** What sandboxes are asked for that a runtime may be able to do on one node and not on another. */
export const purposes = ["plain", "writable", "uid-0", "network-host"] as const;

export type Purpose = (typeof purposes)[number];

/** What a runtime can do on this node. */
export interface RuntimeExamination {
  readonly name: RuntimeName;
  readonly isolates: boolean;
  readonly program: string | undefined;
  readonly version: string | undefined;
  /** Whether it starts a plain sandbox. */
  readonly works: boolean;
  readonly purposes: readonly ExaminedPurpose[];
}

/** @see Trouble where it does not work */
export type ExaminedPurpose =
  | { readonly purpose: Purpose; readonly works: true }
  | ({ readonly purpose: Purpose; readonly works: false } & Trouble);

const optionsFor: Readonly<Record<Purpose, LaunchOptions>> = {
  plain: {},
  writable: { writable: true },
  "uid-0": { user: { uid: 0, gid: 0 } },
  "network-host": { network: "host" },
};

/** Tries each of the runtimes now, for all purposes; what is remembered of them is not asked. */
export async function examineRuntimes(
  names: readonly RuntimeName[],
): Promise<readonly RuntimeExamination[]> {
  return await Promise.all(names.map(examine));
}

async function examine(name: RuntimeName): Promise<RuntimeExamination> {
  const isolates = name !== "native";
  const program = isolates ? findProgram(name, process.env["PATH"]) : undefined;
  if (!isolates || program === undefined) {
    const plain: ExaminedPurpose = isolates
      ? { purpose: "plain", works: false, ...notInstalled(name) }
      : { purpose: "plain", works: true };
    return { name, isolates, program, version: undefined, works: plain.works, purposes: [plain] };
  }
  const examined: ExaminedPurpose[] = [];
  let version: string | undefined;
  for (const purpose of purposes) {
    const answer = await tryFor(purpose, { name, program });
    version ??= answer.version;
    examined.push(
      answer.works
        ? { purpose, works: true }
        : { purpose, works: false, reason: answer.reason, remedy: answer.remedy },
    );
    // Where it does not even say its version, it need not be asked for more.
    if (!answer.works && answer.version === undefined) break;
  }
  const works = examined.some((each) => each.purpose === "plain" && each.works);
  return { name, isolates, program, version, works, purposes: examined };
}

async function tryFor(
  purpose: Purpose,
  runtime: { readonly name: RuntimeName; readonly program: string },
): Promise<RuntimeAnswer> {
  const config = { env: [], entrypoint: null, cmd: ["true"], workingDir: null };
  const plan = planLaunch({ rootfs: "/", config, mountPoints: [] }, optionsFor[purpose]);
  return await tryRuntime(runtime, { plan });
}
