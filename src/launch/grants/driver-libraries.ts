/** A library of the host's, as the loader knows it. */
export interface HostLibrary {
  /** The name by which programs ask for it: `libcuda.so.1`. */
  readonly name: string;
  readonly path: string;
}

/** What `ldconfig -p` writes after a library's name, by Node's name for the processor. */
const flagOf: Readonly<Record<string, string>> = {
  x64: "libc6,x86-64",
  arm64: "libc6,AArch64",
  ppc64: "libc6,64bit",
};

/**
 * The user-space half of NVIDIA's driver: CUDA, video, ray tracing, OpenGL and Vulkan, management.
 * It has to be of the same version as the kernel's half, so that no image can bring it along. The
 * container toolkit's own library is none of it.
 */
const ofDriver =
  /^lib(?:cuda|cudadebugger|nvcuvid|nvoptix|nvidia-(?!container)[a-z0-9-]+|(?:EGL|GLX|GLESv1_CM|GLESv2|vdpau)_nvidia)\.so(?:\.[0-9.]+)?$/;

/**
 * The driver's libraries in the loader's cache.
 * @param cache what `ldconfig -p` prints
 * @param arch as in `process.arch`
 */
export function driverLibraries(cache: string, { arch }: { arch: string }): readonly HostLibrary[] {
  const found = new Map<string, string>();
  for (const line of cache.split("\n")) {
    const [, name = "", flags = "", path = ""] =
      /^\s*(\S+) \(([^)]*)\) => (\/.+)$/.exec(line) ?? [];
    // A hardware capability or the oldest kernel may follow the flags.
    const [libc, processor] = flags.split(/,\s*/);
    if (!ofDriver.test(name) || `${libc},${processor}` !== flagOf[arch]) continue;
    // The loader takes the first.
    if (!found.has(name)) found.set(name, path);
  }
  return [...found].map(([name, path]) => ({ name, path }));
}
