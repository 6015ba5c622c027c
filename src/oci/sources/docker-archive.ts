import * as v from "valibot";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Bundle, findMember, readDocument } from "../bundle/bundle.js";
import { normalizeMemberName } from "../bundle/member-name.js";
import { parseConfig } from "../config.js";
import { checkDigest, type Digest, digestOf, isDigest } from "../digest.js";
import { parseDocument } from "../document.js";
import type { Image, Layer } from "../image.js";
import { formatPlatform } from "../platform.js";
import { type Candidate, chooseByName } from "./choose.js";

/** One image of manifest.json, the table of contents of `docker save`'s archives. */
interface SavedImage {
  readonly config: string;
  readonly layers: readonly string[];
}

const manifestSchema = v.array(
  v.object({
    Config: v.string(),
    RepoTags: v.nullish(v.array(v.string())),
    Layers: v.nullish(v.array(v.string())),
  }),
);

export const dockerManifestName = "manifest.json";

/**
 * The image in a docker-archive, exploded or not: `manifest.json` names its config and layers.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH, NOT_FOUND,
 * REFERENCE_AMBIGUOUS
 */
export function readDockerArchive(bundle: Bundle, choice: string | undefined): Image {
  const saved = chooseImage(bundle, choice);
  const what = `${printable(saved.config)} in ${bundle.label}`;
  const bytes = readDocument(bundle, saved.config);
  const stated = digestInName(saved.config);
  if (stated) checkDigest(what, { expected: stated, actual: digestOf(bytes, stated) });
  const { imageId, platform, diffIds, runtime } = parseConfig(bytes, what);
  if (diffIds.length !== saved.layers.length) {
    throw new StageError(
      "IMAGE_INVALID",
      `${bundle.label} has ${saved.layers.length} layers, but its config names ${diffIds.length}`,
    );
  }
  const layers = diffIds.map((diffId, i): Layer => {
    const name = saved.layers[i] ?? "";
    const span = findMember(bundle, name);
    return { diffId, digest: blobDigestInName(name), size: span.size, span };
  });
  return {
    imageId,
    manifestDigest: null,
    platform: formatPlatform(platform),
    config: runtime,
    layers,
    documents: { config: bytes, chain: [] },
  };
}

function chooseImage(bundle: Bundle, choice: string | undefined): SavedImage {
  const what = `${dockerManifestName} in ${bundle.label}`;
  const bytes = readDocument(bundle, dockerManifestName);
  const images = parseDocument(bytes, { schema: manifestSchema, what });
  const candidates = images.map(
    ({ Config: config, RepoTags, Layers }): Candidate<SavedImage> => ({
      value: { config, layers: Layers ?? [] },
      identity: config,
      names: RepoTags ?? [],
    }),
  );
  const [chosen] = chooseByName(candidates, { label: bundle.label, choice });
  return chosen;
}

/** Config files are called `<hex>.json`, or since Docker 25 `blobs/sha256/<hex>`. */
function digestInName(name: string): Digest | null {
  const plain = /^([0-9a-f]{64})\.json$/.exec(normalizeMemberName(name) ?? "");
  return plain ? asDigest("sha256", plain[1]) : blobDigestInName(name);
}

/** The name of a layer says what it is only since Docker 25. */
function blobDigestInName(name: string): Digest | null {
  const blob = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(normalizeMemberName(name) ?? "");
  return blob ? asDigest(blob[1], blob[2]) : null;
}

function asDigest(algorithm: string | undefined, hex: string | undefined): Digest | null {
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : null;
}
