import { describe, expect, test } from "vitest";
import { terminalFilter } from "../../../src/launch/runtimes/terminal-filter.js";

/** One system call, as struct seccomp_data has it. */
interface Call {
  readonly arch: number;
  readonly number: number;
  readonly request: bigint;
}

const audit = {
  x86_64: 0xc000003e,
  i386: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
  riscv64: 0xc00000f3,
  loongarch64: 0xc0000102,
  s390x: 0x80000016,
  s390: 0x16,
};

const x32 = 0x40000000;

/** Where each kernel's programs can call ioctl, by Node's name of the architecture. */
const doors: readonly (readonly [arch: string, door: string, Omit<Call, "request">])[] = [
  ["x64", "x86_64", { arch: audit.x86_64, number: 16 }],
  ["x64", "x32", { arch: audit.x86_64, number: x32 + 514 }],
  ["x64", "x32 by the number of x86_64", { arch: audit.x86_64, number: x32 + 16 }],
  ["x64", "i386", { arch: audit.i386, number: 54 }],
  ["ia32", "i386", { arch: audit.i386, number: 54 }],
  ["arm64", "aarch64", { arch: audit.aarch64, number: 29 }],
  ["arm64", "arm", { arch: audit.arm, number: 54 }],
  ["arm", "arm", { arch: audit.arm, number: 54 }],
  ["riscv64", "riscv64", { arch: audit.riscv64, number: 29 }],
  ["loong64", "loongarch64", { arch: audit.loongarch64, number: 29 }],
  ["s390x", "s390x", { arch: audit.s390x, number: 54 }],
  ["s390x", "s390", { arch: audit.s390, number: 54 }],
];

const allowed = 0x7fff0000;
const notPermitted = 0x00050001;
const noSuchCall = 0x00050026;

const TIOCSTI = 0x5412n;
const TIOCLINUX = 0x541cn;
const TIOCGWINSZ = 0x5413n;

/** Runs a filter as the kernel would. */
function verdict(node: string, call: Call): number {
  const isLittle = node !== "s390x";
  const filter = terminalFilter(node) ?? new Uint8Array();
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, isLittle);
  data.setUint32(4, call.arch, isLittle);
  data.setBigUint64(24, call.request, isLittle);
  let value = 0;
  for (let at = 0; at + 8 <= program.byteLength; at += 8) {
    const code = program.getUint16(at, isLittle);
    const operand = program.getUint32(at + 4, isLittle);
    if (code === 0x20) value = data.getUint32(operand, isLittle);
    else if (code === 0x54) value = (value & operand) >>> 0;
    else if (code === 0x15) at += 8 * program.getUint8(at + (value === operand ? 2 : 3));
    else if (code === 0x06) return operand;
    else throw new Error(`unknown operation ${code} at ${at}`);
  }
  throw new Error("the filter has no end");
}

describe("terminalFilter", () => {
  test.each(doors)("on %s refuses what types into a terminal, by way of %s", (node, _, door) => {
    expect(verdict(node, { ...door, request: TIOCSTI })).toBe(notPermitted);
    expect(verdict(node, { ...door, request: TIOCLINUX })).toBe(notPermitted);
    // The kernel takes no notice of the upper half.
    expect(verdict(node, { ...door, request: (0xdeadn << 32n) + TIOCSTI })).toBe(notPermitted);
  });

  test.each(doors)("on %s allows all else, by way of %s", (node, _, door) => {
    expect(verdict(node, { ...door, request: TIOCGWINSZ })).toBe(allowed);
    expect(verdict(node, { ...door, request: TIOCSTI << 32n })).toBe(allowed);
    expect(verdict(node, { ...door, number: door.number + 1, request: TIOCSTI })).toBe(allowed);
  });

  test("refuses an interface to the kernel that it does not know", () => {
    const call = { arch: audit.aarch64, number: 29, request: TIOCGWINSZ };
    expect(verdict("x64", call)).toBe(noSuchCall);
  });

  test("is nothing on an architecture that it does not know", () => {
    expect(terminalFilter("mips")).toBeUndefined();
  });
});
