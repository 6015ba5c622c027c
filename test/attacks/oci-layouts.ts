import type { FileContent } from "../support/file-set.js";
import { configDocument, json } from "../support/image-parts.js";
import { file, packLayer } from "../support/layers.js";
import {
  blobName,
  configType,
  type DescriptorJson,
  LayoutBuilder,
  layerType,
  layoutOf,
  manifestType,
  named,
} from "../support/oci-layout.js";
import type { ImageAttack, ImageAttackCase } from "./image-attack.js";

const base = packLayer([file("f", "base")]);

/** A layout whose manifest says what it likes of the config and the one layer. */
function layoutWith(change: {
  config?: Partial<DescriptorJson>;
  layer?: Partial<DescriptorJson> & { readonly urls?: readonly string[] };
  diffId?: string;
}): LayoutBuilder {
  const layout = new LayoutBuilder();
  const layer = { ...layout.blob(base, layerType), ...change.layer };
  const document = configDocument({ layers: [base] }).toString("utf8");
  const stated = change.diffId;
  const changed =
    stated === undefined ? document : document.replace(/"sha256:[^"]*"/, JSON.stringify(stated));
  const config = { ...layout.blob(Buffer.from(changed), configType), ...change.config };
  const manifest = json({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] });
  layout.finish(layout.blob(manifest, manifestType));
  return layout;
}

function refused(...change: Parameters<typeof layoutWith>): ImageAttack {
  return { files: layoutWith(...change).files, ends: "IMAGE_INVALID" };
}

/** The layout of one image in `layout`, some of whose files lie beside it, with links to them. */
function movedOut(names: (all: readonly string[]) => readonly string[]): ImageAttack {
  const all = [...layoutOf({ layers: [base] })];
  const moved = new Set(names(all.map(([name]) => name)));
  const files = all.flatMap(([name, content]): [string, FileContent][] => {
    if (!moved.has(name)) return [[`layout/${name}`, content]];
    const symlink = `${"../".repeat(name.split("/").length)}beside/${name}`;
    return [
      [`beside/${name}`, content],
      [`layout/${name}`, { symlink }],
    ];
  });
  return {
    files: new Map(files),
    forms: ["directory"],
    directory: "/layout",
    ends: "IMAGE_INVALID",
  };
}

const climbing = `sha256:${"../".repeat(20)}etc/passwd`;

/** OCI layouts whose digests, links and addresses are made for those who trust them. */
export const ociLayoutAttacks: readonly ImageAttackCase[] = [
  [
    "a manifest's digest that climbs",
    "CVE-2024-3727, containers/image",
    () => {
      const layout = new LayoutBuilder();
      const entry = { ...layout.image({ layers: [base] }), digest: climbing };
      return { files: layout.finish(entry), ends: "IMAGE_INVALID" };
    },
  ],
  [
    "a config's digest that climbs",
    "CVE-2024-3727, containers/image",
    () => refused({ config: { digest: climbing } }),
  ],
  [
    "a layer's digest that climbs",
    "CVE-2024-3727, containers/image",
    () => refused({ layer: { digest: climbing } }),
  ],
  [
    "a layer's digest that climbs and is as long as one",
    "CVE-2024-3727, containers/image",
    () => refused({ layer: { digest: `sha256:${"../".repeat(18)}etc/passwd` } }),
  ],
  [
    "a layer's digest whose algorithm climbs",
    "CVE-2024-3727, containers/image",
    () => refused({ layer: { digest: "../../../../etc:passwd" } }),
  ],
  [
    "a layer's digest with a line break",
    "CVE-2024-3727, containers/image",
    () => refused({ layer: { digest: `sha256:${"0".repeat(64)}\n` } }),
  ],
  ["a diffID that climbs", "own", () => refused({ diffId: "sha256:../../../../../../outside/f" })],
  ["a diffID that is an absolute path", "own", ({ out }) => refused({ diffId: `${out}/f` })],
  [
    "a layer that is elsewhere, by an address",
    "own",
    ({ out }) => {
      const layout = layoutWith({ layer: { urls: [`file://${out}/f`, "http://127.0.0.1:9/"] } });
      layout.files.delete(blobName(layout.blob(base, layerType).digest));
      return { files: layout.files, ends: "IMAGE_INVALID" };
    },
  ],
  [
    "a layer with addresses beside it",
    "own",
    ({ out }) => ({
      files: layoutWith({ layer: { urls: [`file://${out}/f`, "http://127.0.0.1:9/"] } }).files,
      ends: { rootfs: { f: "base" } },
    }),
  ],
  ["a size below zero", "own", () => refused({ layer: { size: -1 } })],
  ["a size beyond all measure", "own", () => refused({ layer: { size: 2 ** 53 } })],
  ["a size that the blob does not have", "own", () => refused({ layer: { size: 2 ** 40 } })],
  [
    "blobs that are links out, to what has the right digest",
    "apple/containerization, pull request 898",
    () => movedOut((all) => all.filter((name) => name.startsWith("blobs/"))),
  ],
  [
    "one blob that is a link out, to what has the right digest",
    "apple/containerization, pull request 898",
    () => movedOut((all) => all.filter((name) => name.startsWith("blobs/")).slice(0, 1)),
  ],
  [
    "an index.json that is a link out",
    "apple/containerization, pull request 917",
    () => movedOut(() => ["index.json"]),
  ],
  [
    "an oci-layout that is a link out",
    "apple/containerization, pull request 917",
    () => movedOut(() => ["oci-layout"]),
  ],
  [
    "a directory of blobs that is a link out",
    "own",
    () => {
      const all = [...layoutOf({ layers: [base] })];
      const files = all.map(([name, content]): [string, FileContent] => [
        name.startsWith("blobs/") ? `beside/${name}` : `layout/${name}`,
        content,
      ]);
      return {
        files: new Map([...files, ["layout/blobs", { symlink: "../beside/blobs" }]]),
        forms: ["directory"],
        directory: "/layout",
        ends: "IMAGE_INVALID",
      };
    },
  ],
  [
    "a name that climbs and writes to the terminal",
    "own",
    () => {
      const layout = new LayoutBuilder();
      const image = layout.image({ layers: [base] });
      const files = layout.finish({ ...image, ...named("../../x\x1b[2J\nx") });
      return { files, choice: ":nothing", ends: "NOT_FOUND" };
    },
  ],
];
