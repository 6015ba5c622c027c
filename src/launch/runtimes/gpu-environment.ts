import type { GpuAccess } from "../plan.js";

/** An environment in which the libraries and programs of a GPU's driver are found. */
export function withGpu(
  env: Readonly<Record<string, string>>,
  gpu: GpuAccess | null,
): Readonly<Record<string, string>> {
  if (gpu === null) return env;
  const join = (...parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(":");
  const libraries = join(...gpu.libraryPath, env["LD_LIBRARY_PATH"]);
  const programs = join(env["PATH"], ...gpu.programPath);
  return { ...env, ...(libraries && { LD_LIBRARY_PATH: libraries }), PATH: programs };
}
