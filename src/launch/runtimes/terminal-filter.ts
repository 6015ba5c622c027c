/** How one interface of a kernel calls ioctl. */
interface Abi {
  /** `AUDIT_ARCH_…` of linux/audit.h. */
  readonly audit: number;
  /** Numbers of ioctl in it, without the bits of `ignore`. */
  readonly ioctl: readonly number[];
  /** Bits of a number that say nothing about the call. Default: none. */
  readonly ignore?: number;
}

/** By Node's name of an architecture: all interfaces that its kernels have. */
const interfaces: Partial<Record<string, readonly Abi[]>> = {
  x64: [
    // A bit marks x32, which has a number of its own beside.
    { audit: 0xc000003e, ioctl: [16, 514], ignore: 0x40000000 },
    { audit: 0x40000003, ioctl: [54] },
  ],
  ia32: [{ audit: 0x40000003, ioctl: [54] }],
  arm64: [
    { audit: 0xc00000b7, ioctl: [29] },
    { audit: 0x40000028, ioctl: [54] },
  ],
  arm: [{ audit: 0x40000028, ioctl: [54] }],
  riscv64: [{ audit: 0xc00000f3, ioctl: [29] }],
  loong64: [{ audit: 0xc0000102, ioctl: [29] }],
  s390x: [
    { audit: 0x80000016, ioctl: [54] },
    { audit: 0x00000016, ioctl: [54] },
  ],
};

/** Requests that put characters into a terminal's input, as if they had been typed. */
const refused = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c };

/** Of struct seccomp_data (linux/seccomp.h), in bytes. */
const offset = { number: 0, arch: 4, secondArgument: 24 };

/** Of linux/bpf_common.h and linux/filter.h. */
const operation = { load: 0x20, jumpIfEqual: 0x15, and: 0x54, return: 0x06 };

const allow = 0x7fff0000;
const fail = 0x00050000;
const errno = { EPERM: 1, ENOSYS: 38 };

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** How many of the instructions that follow are left out, if a comparison holds or not. */
  readonly skip?: { readonly ifEqual: number; readonly ifNot: number };
}

/**
 * A seccomp filter that keeps a program from typing into the terminal that it shares with others: a
 * classic BPF program as bwrap's `--seccomp` reads it (seccomp(2)).
 * @param arch as `process.arch` has it
 * @returns undefined for an architecture that is not known here
 */
export function terminalFilter(arch: string): Uint8Array | undefined {
  const abis = interfaces[arch];
  if (abis === undefined) return undefined;
  const isBigEndian = arch === "s390x";
  const program = [
    ...abis.flatMap((abi) => {
      const body = refusalsOf(abi, isBigEndian);
      return [load(offset.arch), unlessEqual(abi.audit, body.length), ...body];
    }),
    giveBack(fail | errno.ENOSYS),
  ];
  return assemble(program, isBigEndian);
}

function refusalsOf({ ioctl, ignore = 0 }: Abi, isBigEndian: boolean): readonly Instruction[] {
  // The kernel looks at no more than the lower half, so neither may this.
  const lowerHalf = offset.secondArgument + (isBigEndian ? 4 : 0);
  const [first, second] = [refused.TIOCSTI, refused.TIOCLINUX];
  return [
    load(offset.number),
    { code: operation.and, value: ~ignore >>> 0 },
    ...ioctl.map((number, index) => ifEqual(number, ioctl.length - index)),
    giveBack(allow),
    load(lowerHalf),
    ifEqual(first, 2),
    ifEqual(second, 1),
    giveBack(allow),
    giveBack(fail | errno.EPERM),
  ];
}

const load = (value: number): Instruction => ({ code: operation.load, value });

const giveBack = (value: number): Instruction => ({ code: operation.return, value });

const ifEqual = (value: number, skipped: number): Instruction => {
  return { code: operation.jumpIfEqual, value, skip: { ifEqual: skipped, ifNot: 0 } };
};

const unlessEqual = (value: number, skipped: number): Instruction => {
  return { code: operation.jumpIfEqual, value, skip: { ifEqual: 0, ifNot: skipped } };
};

/** As an array of struct sock_filter, in the byte order of the machine. */
function assemble(program: readonly Instruction[], isBigEndian: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  for (const [index, { code, value, skip }] of program.entries()) {
    const at = index * 8;
    bytes.setUint16(at, code, !isBigEndian);
    bytes.setUint8(at + 2, skip?.ifEqual ?? 0);
    bytes.setUint8(at + 3, skip?.ifNot ?? 0);
    bytes.setUint32(at + 4, value, !isBigEndian);
  }
  return new Uint8Array(bytes.buffer);
}
