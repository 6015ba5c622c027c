import { digestOf } from "../../src/oci/digest.js";
import { json } from "../support/image-parts.js";
import { configType, indexType, layerType, manifestType } from "../support/oci-layout.js";
import { layerSeeds } from "./seeds.js";

/**
 * Documents of an image before the digests in them are known: `@digest:PART@`, `@hex:PART@` and,
 * with the quotes around it, `"@size:PART@"` stand for those of another part as it is in the end.
 * A `layer` is a layer's tar archive, a `blob` what it is stored as.
 */
export interface ImageParts {
  readonly layers: readonly Buffer[];
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly index: Buffer;
  readonly layout: Buffer;
  readonly saved: Buffer;
}

function descriptor(part: string, more: { mediaType: string; [key: string]: unknown }) {
  return { digest: `@digest:${part}@`, size: `@size:${part}@`, ...more };
}

/** @param savedLayers what manifest.json calls the layers, where it is not what they are called */
function imageOf(layers: readonly Buffer[], savedLayers?: readonly string[]): ImageParts {
  const layerNames = layers.map((_, i) => `layer${i}`);
  const blobNames = layers.map((_, i) => `blob${i}`);
  return {
    layers,
    config: json({
      created: "2024-01-01T00:00:00Z",
      os: "linux",
      architecture: "amd64",
      config: {
        User: "1000:1000",
        Env: ["PATH=/bin", "EMPTY="],
        Entrypoint: ["/bin/sh", "-c"],
        Cmd: ["echo"],
        WorkingDir: "/work",
        Labels: { "a.b": "c" },
        Volumes: { "/data": {} },
        ExposedPorts: { "80/tcp": {} },
        StopSignal: "SIGTERM",
      },
      rootfs: { type: "layers", diff_ids: layerNames.map((name) => `@digest:${name}@`) },
      history: [{ created_by: "x", empty_layer: true }],
    }),
    manifest: json({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor("config", { mediaType: configType }),
      layers: blobNames.map((name) => descriptor(name, { mediaType: layerType })),
      annotations: { a: "b" },
    }),
    index: json({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        // Some images are reached through an index below the index.
        descriptor(layers.length === 1 ? "inner" : "manifest", {
          mediaType: layers.length === 1 ? indexType : manifestType,
          platform: { os: "linux", architecture: "amd64" },
          annotations: { "org.opencontainers.image.ref.name": "name:1" },
        }),
      ],
    }),
    layout: json({ imageLayoutVersion: "1.0.0" }),
    saved: json([
      {
        Config: "@hex:config@.json",
        RepoTags: ["name:1", "docker.io/library/other:latest"],
        Layers: savedLayers ?? blobNames.map((name) => `@hex:${name}@/layer.tar`),
      },
    ]),
  };
}

export const imageSeeds: Readonly<Record<string, ImageParts>> = {
  "one layer": imageOf([pick("kinds")]),
  "two layers": imageOf([pick("base"), pick("whiteouts")]),
  "three layers": imageOf([pick("base"), pick("replacing"), pick("links")]),
  "no layer": imageOf([]),
  // In a directory this name leads to a link, and the link out of the directory.
  "a layer outside": imageOf([pick("base")], ["out/f"]),
};

function pick(name: string): Buffer {
  return layerSeeds[name] ?? Buffer.alloc(0);
}

/**
 * The image's files by name, as docker save and OCI layouts have them, all digests right.
 * @param store what a layer's archive is stored as
 */
export function filesOf(
  parts: ImageParts,
  store: (tar: Buffer) => Buffer,
): ReadonlyMap<string, Buffer> {
  const blobs = parts.layers.map(store);
  const known = new Map(parts.layers.map((layer, i) => [`layer${i}`, layer]));
  for (const [i, blob] of blobs.entries()) known.set(`blob${i}`, blob);
  known.set("config", resolved(parts.config, known));
  known.set("manifest", resolved(parts.manifest, known));
  const inner = json({
    schemaVersion: 2,
    manifests: [descriptor("manifest", { mediaType: manifestType })],
  });
  known.set("inner", resolved(inner, known));
  const files = new Map<string, Buffer>();
  for (const bytes of known.values()) files.set(`blobs/sha256/${hexOf(bytes)}`, bytes);
  for (const blob of blobs) files.set(`${hexOf(blob)}/layer.tar`, blob);
  const config = known.get("config") ?? Buffer.alloc(0);
  files.set(`${hexOf(config)}.json`, config);
  files.set("index.json", resolved(parts.index, known));
  files.set("oci-layout", parts.layout);
  files.set("manifest.json", resolved(parts.saved, known));
  return files;
}

/** A document with the digests and sizes of the parts that are known. */
export function resolved(document: Buffer, known: ReadonlyMap<string, Buffer>): Buffer {
  const text = document
    .toString("latin1")
    .replace(
      /"@size:(\w+)@"|@(digest|hex):(\w+)@/g,
      (whole, sized: string | undefined, what: string | undefined, part: string | undefined) => {
        const bytes = known.get(sized ?? part ?? "");
        if (!bytes) return whole;
        if (sized !== undefined) return String(bytes.length);
        return what === "hex" ? hexOf(bytes) : digestOf(bytes);
      },
    );
  return Buffer.from(text, "latin1");
}

function hexOf(bytes: Buffer): string {
  return digestOf(bytes).slice("sha256:".length);
}
