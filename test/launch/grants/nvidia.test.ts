import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type GpuHost, nvidiaAccess } from "../../../src/launch/grants/nvidia.js";
import { type FileSet, writeFiles } from "../../support/file-set.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/**
 * A host with GPUs, made up: files of the names that NVIDIA's driver gives its own. No GPU and no
 * driver has any part in these tests.
 */
function madeUpHost(files: FileSet = complete): GpuHost {
  const root = writeFiles(scratchDirectory(), files);
  const libraryCache = () => "\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/libcuda.so.1\n";
  return { root, arch: "x64", libraryCache };
}

const complete: FileSet = new Map<string, string | { symlink: string }>([
  ["dev/null", ""],
  ["dev/nvidia0", ""],
  ["dev/nvidia12", ""],
  ["dev/nvidiactl", ""],
  ["dev/nvidia-uvm", ""],
  ["dev/nvidia-uvm-tools", ""],
  ["dev/nvidia-modeset", ""],
  ["dev/nvidia-nvswitch0", ""],
  ["dev/nvidia-caps/nvidia-cap1", ""],
  ["usr/lib/libcuda.so.1", { symlink: "libcuda.so.550.54.15" }],
  ["usr/lib/libcuda.so.550.54.15", ""],
  ["usr/bin/nvidia-smi", ""],
  ["etc/OpenCL/vendors/nvidia.icd", ""],
  ["usr/share/nvidia/profiles", ""],
]);

function without(...names: readonly string[]): FileSet {
  return new Map([...complete].filter(([name]) => !names.includes(name)));
}

describe("the GPUs of a host", () => {
  test("are its device nodes, and the driver's libraries, programs and files", () => {
    const host = madeUpHost();
    const { access, warnings } = nvidiaAccess(host);
    const shown = access.mounts.map((mount) => {
      return [mount.access, mount.source.replace(host.root, ""), mount.target].join(" ");
    });
    const inside = "/run/stage-rootfs/nvidia";
    expect(shown).toEqual([
      "dev /dev/nvidia-modeset /dev/nvidia-modeset",
      "dev /dev/nvidia-uvm /dev/nvidia-uvm",
      "dev /dev/nvidia-uvm-tools /dev/nvidia-uvm-tools",
      "dev /dev/nvidia0 /dev/nvidia0",
      "dev /dev/nvidia12 /dev/nvidia12",
      "dev /dev/nvidiactl /dev/nvidiactl",
      "dev /dev/nvidia-caps/nvidia-cap1 /dev/nvidia-caps/nvidia-cap1",
      `ro /usr/lib/libcuda.so.550.54.15 ${inside}/lib/libcuda.so.1`,
      `ro /usr/bin/nvidia-smi ${inside}/bin/nvidia-smi`,
      "ro /etc/OpenCL/vendors/nvidia.icd /etc/OpenCL/vendors/nvidia.icd",
      "ro /usr/share/nvidia /usr/share/nvidia",
    ]);
    expect(access).toMatchObject({
      libraryPath: [`${inside}/lib`],
      programPath: [`${inside}/bin`],
    });
    expect(warnings).toEqual([]);
  });

  test("are usable for CUDA only with a device that is made late", () => {
    const { warnings } = nvidiaAccess(madeUpHost(without("dev/nvidia-uvm")));
    expect(warnings).toEqual([expect.stringContaining("nvidia-modprobe -u -c=0")]);
  });
});

describe("a host", () => {
  test.each([
    { what: "without devices", files: new Map([["dev/null", ""]]) },
    { what: "without /dev", files: new Map() },
    { what: "whose driver found no GPU", files: without("dev/nvidia0", "dev/nvidia12") },
  ])("$what has no GPU", ({ files }) => {
    expect(refusal(() => nvidiaAccess(madeUpHost(files)))).toMatchObject({
      code: "SANDBOX",
      message: expect.stringContaining("/dev/nvidia0"),
      hint: expect.stringContaining("--gres=gpu:1"),
    });
  });

  test("without the driver's libraries says how to have them", () => {
    const host = { ...madeUpHost(), libraryCache: () => "" };
    expect(refusal(() => nvidiaAccess(host))).toMatchObject({
      code: "SANDBOX",
      message: expect.stringContaining("libcuda.so.1"),
      hint: expect.stringContaining("ldconfig"),
    });
  });

  test("may not have all that its libraries look for", () => {
    const host = madeUpHost(without("usr/bin/nvidia-smi", "etc/OpenCL/vendors/nvidia.icd"));
    const targets = nvidiaAccess(host).access.mounts.map(({ target }) => target);
    expect(targets.filter((target) => /smi|OpenCL/.test(target))).toEqual([]);
    expect(targets).toContain(join("/usr/share", "nvidia"));
  });
});
