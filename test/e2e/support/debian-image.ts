import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { array, parse } from "valibot";
import { buildOnce, keyOfSources } from "./build-once.js";
import { applyEdit, EPOCH_SECONDS, edits, handmadeLayer } from "./debian-layers.js";
import { formsIn, type ImageForms, makeForms } from "./image-forms.js";
import { readLayout } from "./oci-layout.js";
import type { Need } from "./programs.js";
import { packTar } from "./tar-writer.js";
import { describeTree, type TreeEntry, treeEntrySchema } from "./tree.js";
import { umoci, umociUnpack } from "./umoci.js";

/** What a test that uses {@link debianImage} needs. */
export const debianImageNeeds: readonly Need[] = ["root", "mmdebstrap", "umoci", "skopeo", "gzip"];

const recipeFiles = [
  "./debian-image.ts",
  "./debian-layers.ts",
  "./image-forms.ts",
  "./tar-writer.ts",
  "./tree.ts",
  "./umoci.ts",
];

/** The tag of the image in its OCI layouts and its OCI archive. */
const TAG = "fixture";

const created = new Date(EPOCH_SECONDS * 1000).toISOString();

/** A Debian root in six layers, in every form that an image file can have. */
export interface DebianImage {
  readonly forms: ImageForms;
  readonly tag: string;
  /** The digest of the config: the same in all forms. */
  readonly imageId: string;
  readonly diffIds: readonly string[];
  /** A statically linked busybox from the image. */
  readonly busybox: string;
  /** What `umoci unpack` makes of the image as root. */
  readonly faithfulTree: () => TreeEntry[];
}

/** Builds the image on first use; later uses, in other runs too, find it ready. */
export async function debianImage(): Promise<DebianImage> {
  const dir = await buildOnce({
    name: "debian",
    key: keyOfSources(recipeFiles.map((file) => new URL(file, import.meta.url))),
    build,
  });
  const forms = formsIn(dir);
  const { manifest, config } = readLayout(forms.ociLayoutGzip);
  return {
    forms,
    tag: TAG,
    imageId: manifest.config.digest,
    diffIds: config.rootfs.diff_ids,
    busybox: join(dir, "busybox"),
    faithfulTree: () =>
      parse(array(treeEntrySchema), JSON.parse(readFileSync(join(dir, "tree.json"), "utf8"))),
  };
}

async function build(dir: string): Promise<void> {
  const layout = formsIn(dir).ociLayoutGzip;
  const bundle = join(dir, "bundle");
  const rootfs = join(bundle, "rootfs");
  const image = ["--image", `${layout}:${TAG}`];

  await umoci(["init", "--layout", layout]);
  await umoci(["new", ...image]);
  await umoci(["unpack", ...image, bundle]);
  await bootstrapDebian(rootfs);
  for (const [layer, edit] of edits.entries()) {
    await applyEdit(rootfs, layer, edit);
    await umoci(["repack", "--refresh-bundle", ...history(edit.name), ...image, bundle]);
  }
  copyFileSync(join(rootfs, "usr/bin/busybox"), join(dir, "busybox"));
  rmSync(bundle, { recursive: true });

  await insertOpaqueDirectory(dir, image);
  await addHandmadeLayer(dir, image);
  await umoci(["config", "--no-history", "--created", created, ...configuration, ...image]);
  await umoci(["gc", "--layout", layout]);
  await Promise.all([makeForms(dir, { layout, tag: TAG }), recordTree(dir, layout)]);
}

/** Keeps a description of the unpacked image, which later takes a moment to read. */
async function recordTree(dir: string, layout: string): Promise<void> {
  const unpacked = join(dir, "unpacked");
  await umociUnpack({ layout, tag: TAG }, { dest: unpacked, rootless: false });
  writeFileSync(join(dir, "tree.json"), JSON.stringify(describeTree(unpacked)));
  rmSync(unpacked, { recursive: true });
}

/** A minimal Debian with setuid programs, file capabilities, hard links and device nodes. */
async function bootstrapDebian(rootfs: string): Promise<void> {
  const excluded = ["/usr/share/locale/*", "/usr/share/man/*"];
  await execa("mmdebstrap", [
    "--quiet",
    "--variant=minbase",
    "--include=busybox-static,iputils-ping,libcap2-bin",
    '--aptopt=Acquire::Languages "none"',
    ...excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
    "bookworm",
    rootfs,
  ]);
}

const history = (step: string): string[] => [
  `--history.created=${created}`,
  `--history.created_by=${step}`,
];

/** A layer with an opaque marker: the directory shows nothing of what the layers below put there. */
async function insertOpaqueDirectory(dir: string, image: readonly string[]): Promise<void> {
  const source = join(dir, "opaque");
  mkdirSync(source);
  writeFileSync(join(source, "new"), "new\n");
  await execa("touch", ["--date", created, join(source, "new"), source]);
  const target = "/opt/site/opaque";
  await umoci(["insert", "--opaque", ...history("insertOpaque"), ...image, source, target]);
  rmSync(source, { recursive: true });
}

async function addHandmadeLayer(dir: string, image: readonly string[]): Promise<void> {
  const layer = join(dir, "handmade.tar");
  writeFileSync(layer, await packTar(handmadeLayer));
  await umoci(["raw", "add-layer", ...history("addHandmadeLayer"), ...image, layer]);
  rmSync(layer);
}

const configuration: readonly string[] = [
  "--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "--config.env=GREETING=hello there",
  "--config.workingdir=/opt/site",
  "--config.entrypoint=/usr/bin/env",
  "--config.cmd=sh",
  "--config.cmd=-c",
  '--config.cmd=echo "$GREETING from $PWD"',
  "--config.label=org.example.fixture=debian",
];
