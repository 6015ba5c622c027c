import { arch } from "node:os";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";

/** `os/architecture[/variant]` in Go's words, as the image-spec's image-index.md has them. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

const goArchitectures: Partial<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
};

/** The platform of this machine. */
export function hostPlatform(): Platform {
  const own = arch();
  return { os: "linux", architecture: goArchitectures[own] ?? own, variant: undefined };
}

/** @throws StageError USAGE */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9._]+))?$/.exec(text);
  if (!match) {
    throw new StageError("USAGE", `"${printable(text)}" is not a platform`, {
      hint: "write OS/ARCH[/VARIANT], for instance linux/arm64",
    });
  }
  const [, os = "", architecture = "", variant] = match;
  return { os, architecture, variant };
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Whether an image for `offered` is one for `wanted`; a variant counts only where both name one. */
export function platformsAgree(wanted: Platform, offered: Platform): boolean {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return false;
  const a = canonicalVariant(wanted);
  const b = canonicalVariant(offered);
  return a === undefined || b === undefined || a === b;
}

/** Whether two platforms name the same variant, or none, each in its own way. */
export function variantsEqual(a: Platform, b: Platform): boolean {
  return canonicalVariant(a) === canonicalVariant(b);
}

/** The variant that an architecture has when it names none. */
const baseVariants: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm64", "v8"],
]);

function canonicalVariant({ architecture, variant }: Platform): string | undefined {
  return baseVariants.get(architecture) === variant ? undefined : variant;
}
