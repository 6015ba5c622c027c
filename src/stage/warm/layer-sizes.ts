import { readLayer } from "../../cache/layer-store.js";
import { parseLayerRecord } from "../../extract/layer-record.js";
import { leastContentSize } from "../../host/decompress/content-size.js";
import type { ImageSummary, Layer, LayerSummary, RemoteLayer } from "../../oci/image.js";
import { cacheName, type StageRequest } from "../request.js";
import { likelyContent } from "../room/room-needs.js";
import type { ImageOpener } from "../sources/image-opener.js";
import type { LayerSizes } from "./budget.js";

/** What an image's layers hold that the cache has. */
export function sizesInCache(request: StageRequest, { layers }: ImageSummary): LayerSizes {
  return new Map(
    layers.flatMap(({ diffId }) => {
      const name = cacheName(request, diffId);
      const record = readLayer(request.layout, { name, parse: parseLayerRecord });
      return record ? [[diffId, record.unpackedSize] as const] : [];
    }),
  );
}

/** What an image's layers hold, estimated for those that are not unpacked yet. */
export async function likelySizes(
  request: StageRequest,
  { summary, opener }: { readonly summary: ImageSummary; readonly opener: ImageOpener },
): Promise<LayerSizes> {
  const sizes = new Map(sizesInCache(request, summary));
  const missing = summary.layers.filter(({ diffId }) => !sizes.has(diffId));
  const isRemote = request.reference.registry !== undefined;
  // What the cache knows of an image's source does not say where in it the layers are.
  const { layers } = isRemote || missing.length === 0 ? summary : await opener.open();
  for (const layer of layers) {
    if (!sizes.has(layer.diffId)) sizes.set(layer.diffId, likelySize(layer));
  }
  return sizes;
}

/** What a staged image's layers hold. */
export function stagedSizes({
  layers,
}: {
  readonly layers: readonly { readonly diffId: string; readonly unpackedSize: number }[];
}): LayerSizes {
  return new Map(layers.map(({ diffId, unpackedSize }) => [diffId, unpackedSize]));
}

function likelySize(layer: LayerSummary | Layer | RemoteLayer): number {
  const { size: stored } = layer;
  return likelyContent({ stored, content: "span" in layer ? contentOf(layer) : undefined });
}

/** Undefined for a blob that can't be read: to say why is for unpacking. */
function contentOf({ span }: Layer): number | undefined {
  try {
    return leastContentSize(span);
  } catch {
    return undefined;
  }
}
