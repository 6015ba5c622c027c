import { createHash } from "node:crypto";
import type { TarMember } from "./tar-writer.js";

/** Nix sets the time of everything in its store to the second after the epoch. */
const mtime = new Date(1000);

/** The path of a package in the store; the hash has the 32 letters and digits that Nix uses. */
function storePath(name: string): string {
  const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
  const hash = createHash("sha256").update(name).digest().subarray(0, 32);
  return `/nix/store/${[...hash].map((byte) => alphabet.charAt(byte % 32)).join("")}-${name}`;
}

/** A package with a statically linked shell in it. */
export const shellPath = storePath("busybox-static");

/** A package that holds nothing but data. */
export const dataPath = storePath("fixture-data");

const dir = (name: string, mode = 0o555): TarMember => ({
  name: name.endsWith("/") ? name : `${name}/`,
  type: "directory",
  mode,
  mtime,
});

const file = (name: string, content: Buffer | string, mode = 0o444): TarMember => ({
  name,
  content,
  mode,
  mtime,
});

const link = (name: string, linkname: string): TarMember => ({
  name,
  type: "symlink",
  linkname,
  mode: 0o777,
  mtime,
});

/** The directories above a store path come again in the layer of each. */
const store = [dir("/nix"), dir("/nix/store")];

const shellLayer = (busybox: Buffer): TarMember[] => [
  ...store,
  dir(shellPath),
  dir(`${shellPath}/bin`),
  file(`${shellPath}/bin/busybox`, busybox, 0o555),
  ...["cat", "echo", "env", "id", "ls", "sh"].map((name) =>
    link(`${shellPath}/bin/${name}`, "busybox"),
  ),
];

/** Names of more than 100 bytes; two names of one file, which Nix stores as two files. */
const dataLayer = (): TarMember[] => {
  const deep = `${dataPath}/share/${"deeply-nested-".repeat(8)}`;
  return [
    ...store,
    dir(dataPath),
    dir(`${dataPath}/share`),
    file(`${dataPath}/share/first-name`, "optimised\n"),
    file(`${dataPath}/share/second-name`, "optimised\n"),
    file(`${dataPath}/share/empty`, ""),
    link(`${dataPath}/share/shell`, `${shellPath}/bin/sh`),
    dir(deep),
    file(`${deep}/file`, "a long way down\n"),
  ];
};

/** The layer on top, with what belongs to no package; its names start with "./". */
const customisationLayer = (): TarMember[] => [
  dir("./", 0o755),
  link("./bin", `${shellPath}/bin`),
  dir("./etc", 0o755),
  file("./etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644),
  dir("./tmp", 0o1777),
];

/** The layers of the image, bottom first. The first one comes again, as it may with `fromImage`. */
export function nixLayers(busybox: Buffer): TarMember[][] {
  return [shellLayer(busybox), dataLayer(), shellLayer(busybox), customisationLayer()];
}
