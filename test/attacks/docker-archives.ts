import { DockerArchiveBuilder, type SavedImageJson } from "../support/docker-archive.js";
import type { FileContent } from "../support/file-set.js";
import { configDocument, json } from "../support/image-parts.js";
import { directory, file, packLayer, symlink } from "../support/layers.js";
import type { ImageAttack, ImageAttackCase } from "./image-attack.js";

const base = packLayer([file("f", "base")]);
const packed = ["archive", "compressed archive"] as const;

type Extra = Readonly<Record<string, FileContent>>;

/** An archive of one image, with more files in it and with what manifest.json says changed. */
function saved(change: Partial<SavedImageJson>, extra: Extra = {}): Pick<ImageAttack, "files"> {
  const archive = new DockerArchiveBuilder();
  const image = archive.image({ layers: [base], tags: ["x:1"] });
  for (const [name, content] of Object.entries(extra)) archive.files.set(name, content);
  return { files: archive.finish({ ...image, ...change }) };
}

function refused(change: Partial<SavedImageJson>, extra?: Extra): ImageAttack {
  return { ...saved(change, extra), ends: "IMAGE_INVALID" };
}

/** An image with a layer of the given `config`, which is harmless. */
function configured(config: Readonly<Record<string, unknown>>): Pick<ImageAttack, "files"> {
  const archive = new DockerArchiveBuilder();
  return { files: archive.finish(archive.image({ layers: [base], config })) };
}

/** docker-archives whose names, links and values are made for those who trust them. */
export const dockerArchiveAttacks: readonly ImageAttackCase[] = [
  [
    "a config whose name climbs",
    "CVE-2014-9358, docker",
    () => refused({ Config: "../etc/passwd" }),
  ],
  [
    "a config whose name climbs out of a directory",
    "CVE-2014-9358, docker",
    () => refused({ Config: "x/../../../etc/passwd" }),
  ],
  ["a config by an absolute path", "own", ({ out }) => refused({ Config: `${out}/etc/passwd` })],
  ["a layer whose name climbs", "own", () => refused({ Layers: ["../../etc/passwd"] })],
  ["a layer by an absolute path", "own", ({ out }) => refused({ Layers: [`${out}/f`] })],
  [
    "a layer that is a link that climbs",
    "own",
    () => refused({ Layers: ["d/layer.tar"] }, { "d/layer.tar": { symlink: "../../etc/passwd" } }),
  ],
  [
    "a layer that is an absolute link",
    "own",
    ({ out }) => refused({ Layers: ["layer.tar"] }, { "layer.tar": { symlink: `${out}/f` } }),
  ],
  [
    "a layer that is a link to a link out",
    "own",
    ({ out }) =>
      refused(
        { Layers: ["layer.tar"] },
        { "layer.tar": { symlink: "d/l" }, "d/l": { symlink: `${out}/f` } },
      ),
  ],
  [
    "a layer in a directory that is a link out",
    "own",
    ({ out }) => refused({ Layers: ["d/f"] }, { d: { symlink: out } }),
  ],
  [
    "a layer that is a hard link to a name that climbs",
    "own",
    () => ({
      ...refused({ Layers: ["layer.tar"] }, { "layer.tar": { link: "../etc/passwd" } }),
      forms: packed,
    }),
  ],
  [
    "a layer that is a hard link to an absolute path",
    "own",
    ({ out }) => ({
      ...refused({ Layers: ["layer.tar"] }, { "layer.tar": { link: `${out}/f` } }),
      forms: packed,
    }),
  ],
  [
    "a layer that is a link to a device without end",
    "own",
    () => refused({ Layers: ["layer.tar"] }, { "layer.tar": { symlink: "/dev/zero" } }),
  ],
  [
    "a layer that is a link to itself",
    "own",
    () => refused({ Layers: ["layer.tar"] }, { "layer.tar": { symlink: "layer.tar" } }),
  ],
  [
    "a config that is a link out",
    "own",
    ({ out }) => refused({ Config: "c.json" }, { "c.json": { symlink: `${out}/etc/passwd` } }),
  ],
  [
    "a manifest.json that is a link out",
    "apple/containerization, pull request 917",
    () => ({
      files: new Map([["manifest.json", { symlink: "../etc/passwd" }]]),
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "a layer that is a link to another, as old versions of Docker saved it",
    "own",
    () => {
      const archive = new DockerArchiveBuilder();
      const image = archive.image({ layers: [base, base] });
      archive.files.set("d/layer.tar", { symlink: `../${image.Layers?.[0]}` });
      const Layers = [...(image.Layers ?? []).slice(0, 1), "d/layer.tar"];
      return { files: archive.finish({ ...image, Layers }), ends: { rootfs: { f: "base" } } };
    },
  ],
  [
    "names that write to the terminal",
    "own",
    () => ({
      ...saved({ RepoTags: ["\x1b]0;x\x07\x1b[2J:1", "a\nb:2", "\u202egnp.exe:3"] }),
      choice: ":nothing",
      ends: "NOT_FOUND",
    }),
  ],
  [
    "a config's name that writes to the terminal",
    "own",
    () => refused({ Config: "\x1b[2J\r\n\u2028.json" }),
  ],
  [
    "a user that 32 bits can't hold",
    "CVE-2024-40635, containerd",
    () => ({
      ...configured({ User: "4294967296:-1" }),
      ends: { rootfs: { f: "base" }, config: { user: "4294967296:-1" } },
    }),
  ],
  [
    "numbers beyond all measure, where they mean nothing",
    "own",
    () => ({
      ...configured({
        Memory: -1,
        MemorySwap: -9e99,
        CpuShares: 1e308,
        Healthcheck: { Retries: -1 },
      }),
      ends: { rootfs: { f: "base" } },
    }),
  ],
  ["a number for a user", "own", () => ({ ...configured({ User: -1 }), ends: "IMAGE_INVALID" })],
  [
    "variables with line breaks, and one without a name",
    "own",
    () => ({
      ...configured({ Env: ["A=1\nB=2", "C=\r\x1b[2J", "=x", ""] }),
      ends: { rootfs: { f: "base" }, config: { env: ["A=1\nB=2", "C=\r\x1b[2J", "=x", ""] } },
    }),
  ],
  [
    "a working directory that climbs",
    "own",
    ({ out, at }) => ({
      ...configured({ WorkingDir: `../../../../../..${out}/dir` }),
      ends: { rootfs: { f: "base", [`${at}/dir`]: "/" }, config: { workingDir: `${out}/dir` } },
    }),
  ],
  [
    "a working directory that means an open file",
    "CVE-2024-21626, runc",
    () => ({
      ...configured({ WorkingDir: "/proc/self/fd/7" }),
      ends: { rootfs: { f: "base", "proc/self/fd/7": "/" } },
    }),
  ],
  [
    "a working directory below a link",
    "CVE-2026-55686, podman",
    ({ out, at }) => {
      const layers = [packLayer([symlink("l", out), directory(at)])];
      const archive = new DockerArchiveBuilder();
      return {
        files: archive.finish(archive.image({ layers, config: { WorkingDir: "l/work" } })),
        ends: { rootfs: { l: `-> ${out}`, [`${at}/work`]: "/" } },
      };
    },
  ],
  [
    "volumes that climb",
    "CVE-2022-23648, containerd",
    ({ out }) => ({
      ...configured({ Volumes: { [`/../../../..${out}`]: {}, "": {} } }),
      ends: { rootfs: { f: "base" } },
    }),
  ],
  [
    "keys that mean something to JavaScript",
    "own",
    () => {
      const text = configDocument({ layers: [base] }).toString("utf8");
      const config = text.replace(
        "{",
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},',
      );
      const archive = new DockerArchiveBuilder();
      const { Layers = null } = archive.image({ layers: [base] });
      archive.files.set("config.json", config);
      archive.files.set("manifest.json", json([{ Config: "config.json", Layers }]));
      return { files: archive.files, ends: { rootfs: { f: "base" } } };
    },
  ],
];
