import type { Room } from "../../host/disk-room.js";
import type { FileSystemKind } from "../../host/file-system-kind.js";

/**
 * What something takes of the disk, guessed in two ways. Staging is refused only where not even the
 * least is there, since refusing what would have fitted is worse than running out of room later;
 * where room can be made, it is made for what is likely.
 */
export interface Need {
  readonly least: Room;
  readonly likely: Room;
}

/** What is known of a layer's archive. */
export interface LayerSize {
  /** Length of the blob as it is stored, in bytes. */
  readonly stored: number;
  /** Length of the archive in it, at the least; undefined while nobody has looked at the blob. */
  readonly content?: number | undefined;
}

/** What a compressed layer is unpacked to, for each byte, where it does not say. */
const usualRatio = 2.5;

/** Bytes of an archive for each entry: of a system's image, and of one that has hardly any. */
const usualEntry = 32 * 1024;
const largestEntry = 4 * 1024 * 1024;

/** The last block of each file is full by half. */
const halfBlock = 2048;
const block = 4096;

/** What of an archive may be headers, which take no room of their own. */
const mostHeaders = 0.1;

/** Of a compressing disk: how much less plain content may take. */
const bestCompression = 4;

/** How long the archive in a layer's blob is likely to be, in bytes. */
export function likelyContent({ stored, content }: LayerSize): number {
  return content !== undefined && content >= stored ? content : stored * usualRatio;
}

/** What unpacking a layer takes. */
export function layerNeed({ stored, content }: LayerSize, kind: FileSystemKind): Need {
  const least = (content ?? stored) * (1 - mostHeaders);
  const likely = likelyContent({ stored, content });
  const entries = Math.ceil(likely / usualEntry);
  return {
    least: {
      bytes: kind.mayCompress ? Math.min(stored, least / bestCompression) : least,
      inodes: Math.ceil(least / largestEntry),
    },
    likely: { bytes: likely + entries * halfBlock, inodes: entries },
  };
}

/** Of a system's entries, one in so many is a directory. */
const usualDirectories = 10;
const fewestDirectories = 50;

/**
 * What putting layers together takes: links need no inodes on most disks, but directories need one
 * and a block each.
 * @param entries how many the layers have, where that is known
 */
export function assemblyNeed(
  layers: { needs: readonly Need[]; entries: number },
  kind: FileSystemKind,
): Need {
  const sum = (of: keyof Need) => layers.needs.reduce((all, need) => all + need[of].inodes, 0);
  const [least, likely] = [layers.entries + sum("least"), layers.entries + sum("likely")];
  const room = (entries: number, directories: number): Room => ({
    bytes: (entries / directories) * block,
    inodes: Math.ceil(kind.linksTakeInodes ? entries : entries / directories),
  });
  // An upper layer may replace what lower ones have, and then less is linked.
  return { least: room(least / 2, fewestDirectories), likely: room(likely, usualDirectories) };
}

/**
 * What the blobs of layers that are fetched take beside the trees. At the least that is the
 * smallest, which may be the last; or else the largest, while the other trees are yet to come.
 */
export function blobNeed(layers: readonly { stored: number; tree: Need }[]): Need {
  if (layers.length === 0) return { least: none, likely: none };
  const trees = layers.reduce((sum, { tree }) => sum + tree.least.bytes, 0);
  const stored = layers.map((layer) => layer.stored);
  const peaks = layers.map((layer) => layer.stored + layer.tree.least.bytes - trees);
  return {
    least: { bytes: Math.max(Math.min(...stored), ...peaks), inodes: 1 },
    likely: { bytes: stored.reduce((sum, size) => sum + size, 0), inodes: layers.length },
  };
}

const none: Room = { bytes: 0, inodes: 0 };
