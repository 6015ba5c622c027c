import { join } from "node:path";
import { installApptainer, installBubblewrap } from "../../../scripts/lib/unstable-programs.mjs";
import { buildOnce, keyOfSources } from "./build-once.js";
import type { Need } from "./programs.js";

/** What a test needs that uses {@link newerBwrap} or {@link unstableApptainer}. */
export const unstableNeeds: readonly Need[] = ["apt-get", "patchelf"];

/** Path of a bwrap that can mount overlays, of Debian's unstable branch; every user may run it. */
export async function newerBwrap(): Promise<string> {
  return join(await installed({ name: "bubblewrap", install: installBubblewrap }), "usr/bin/bwrap");
}

/** Path of an Apptainer of Debian's unstable branch; every user may run it. */
export async function unstableApptainer(): Promise<string> {
  const dir = await installed({ name: "apptainer", install: installApptainer });
  return join(dir, "usr/bin/apptainer");
}

async function installed(program: {
  readonly name: string;
  readonly install: (place: { prefix: string; home: string }) => void;
}): Promise<string> {
  const scripts = ["debian-unstable.mjs", "unstable-programs.mjs"];
  return await buildOnce({
    name: program.name,
    key: keyOfSources(
      scripts.map((script) => new URL(`../../../scripts/lib/${script}`, import.meta.url)),
    ),
    build: async (prefix, home) => program.install({ prefix, home }),
  });
}
