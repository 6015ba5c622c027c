import type { LayerRecord, LowerRecord } from "./layer-record.js";

/** An unpacked layer: where its tree is, and what its record says of lower layers. */
export interface UnpackedLayer {
  readonly tree: string;
  readonly record: LowerRecord & Pick<LayerRecord, "onRecord">;
}
