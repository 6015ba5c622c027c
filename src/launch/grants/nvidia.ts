import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, StageError } from "../../errors.js";
import type { BindMount } from "../mount.js";
import type { GpuAccess } from "../plan.js";
import { driverLibraries } from "./driver-libraries.js";

/** The host whose GPUs are meant. */
export interface GpuHost {
  /** Where its files are. */
  readonly root: string;
  /** As in `process.arch`. */
  readonly arch: string;
  /** What `ldconfig -p` prints; empty where there is none. */
  readonly libraryCache: () => string;
}

export interface FoundGpu {
  readonly access: GpuAccess;
  readonly warnings: readonly string[];
}

export const thisGpuHost: GpuHost = { root: "/", arch: process.arch, libraryCache: ldconfig };

/** In the sandbox's own /run, where the rootfs needs no place for it. */
const place = "/run/stage-rootfs/nvidia";

const programs = [
  "nvidia-smi",
  "nvidia-debugdump",
  "nvidia-persistenced",
  "nvidia-cuda-mps-control",
  "nvidia-cuda-mps-server",
];

const programPlaces = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/opt/bin"];

/** What the driver's libraries look for at just these paths. */
const driverFiles = [
  "/etc/OpenCL/vendors/nvidia.icd",
  "/etc/vulkan/icd.d/nvidia_icd.json",
  "/usr/share/vulkan/icd.d/nvidia_icd.json",
  "/usr/share/vulkan/implicit_layer.d/nvidia_layers.json",
  "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
  "/usr/share/egl/egl_external_platform.d/10_nvidia_wayland.json",
  "/usr/share/egl/egl_external_platform.d/15_nvidia_gbm.json",
  "/usr/share/nvidia",
  "/run/nvidia-persistenced/socket",
];

/**
 * What a sandbox needs to compute and draw on the host's NVIDIA GPUs.
 * @throws StageError SANDBOX where there are none, or no driver for programs to load
 */
export function nvidiaAccess(host: GpuHost = thisGpuHost): FoundGpu {
  const devices = devicesOf(host);
  if (!devices.some((path) => /^\/dev\/nvidia\d+$/.test(path))) {
    throw new StageError(
      "SANDBOX",
      "this host has no NVIDIA GPU: there is no /dev/nvidia0, nor another number",
      { hint: "use a node that has one (with Slurm: --gres=gpu:1), or leave --gpu out" },
    );
  }
  const libraries = driverLibraries(host.libraryCache(), host);
  if (!libraries.some(({ name }) => /^lib(?:cuda|nvidia-ml)\.so/.test(name))) {
    throw new StageError(
      "SANDBOX",
      "this host's NVIDIA driver can't be used: ldconfig -p names no libcuda.so.1 for its processor",
      { hint: "install the driver's libraries, and run ldconfig as root" },
    );
  }
  const tools = programs.flatMap((name) => {
    const path = programPlaces.map((bin) => `${bin}/${name}`).find((each) => isAt(host, each));
    return path === undefined ? [] : [{ name, path }];
  });
  const readOnly = (path: string, target: string): BindMount => {
    return { type: "bind", source: realSource(host, path), target, access: "ro" };
  };
  const access: GpuAccess = {
    vendor: "nvidia",
    mounts: [
      ...devices.map((path): BindMount => {
        return { type: "bind", source: join(host.root, path), target: path, access: "dev" };
      }),
      ...libraries.map(({ name, path }) => readOnly(path, `${place}/lib/${name}`)),
      ...tools.map(({ name, path }) => readOnly(path, `${place}/bin/${name}`)),
      ...driverFiles.filter((path) => isAt(host, path)).map((path) => readOnly(path, path)),
    ],
    libraryPath: [`${place}/lib`],
    programPath: [`${place}/bin`],
  };
  return { access, warnings: devices.includes("/dev/nvidia-uvm") ? [] : [withoutUvm] };
}

const withoutUvm =
  "there is no /dev/nvidia-uvm, without which CUDA finds no GPU: nvidia-modprobe -u -c=0 makes it";

const isDevice = /^nvidia(?:ctl|\d+|-uvm|-uvm-tools|-modeset)$/;

function devicesOf(host: GpuHost): readonly string[] {
  const plain = namesIn(host, "/dev").filter((name) => isDevice.test(name));
  // By these, parts of a GPU are had (MIG).
  const parts = namesIn(host, "/dev/nvidia-caps").map((name) => `nvidia-caps/${name}`);
  return [...plain, ...parts].map((name) => `/dev/${name}`);
}

function namesIn({ root }: GpuHost, directory: string): readonly string[] {
  try {
    return readdirSync(join(root, directory)).sort();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

function isAt({ root }: GpuHost, path: string): boolean {
  return existsSync(join(root, path));
}

/** The file itself, whatever links lead to it; a bind would follow them all the same. */
function realSource({ root }: GpuHost, path: string): string {
  const whole = join(root, path);
  return statSync(whole, { throwIfNoEntry: false }) ? realpathSync(whole) : whole;
}

/** Not on everybody's PATH. */
const ldconfigPlaces = ["/sbin/ldconfig", "/usr/sbin/ldconfig"];

function ldconfig(): string {
  const program = ldconfigPlaces.find((path) => existsSync(path));
  if (program === undefined) return "";
  return execFileSync(program, ["-p"], {
    encoding: "utf8",
    env: { LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 64 * 1024 * 1024,
  });
}
