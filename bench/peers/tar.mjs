// @ts-check
/** The reference: what a shell script does, a decompressor and tar for one layer after another. */
import { missingOf, versionOf } from "./peer.mjs";

/**
 * @param {{ program: string, id: string, reads: import("../images/compress.mjs").Compression }} pipe
 * @returns {import("./peer.mjs").PeerKind}
 */
function tarPipe({ program, id, reads }) {
  const label = `${program} -dc | tar -x`;
  return {
    id,
    label,
    reads: [reads],
    find: () =>
      missingOf([program, "tar"]) ?? {
        id,
        label,
        version: `${program} ${versionOf([program, "--version"])}`,
        does: "layer after layer into one directory; no digests, no whiteouts",
        unpack: ({ layers }, directory) => {
          const loop = `for layer; do ${program} -dc "$layer" | tar -x; done`;
          const paths = layers.map(({ path }) => path);
          return { argv: ["sh", "-ec", `cd "$0"; ${loop}`, directory, ...paths] };
        },
      },
  };
}

export const pigzTar = tarPipe({ id: "pigz", program: "pigz", reads: "gzip" });
export const igzipTar = tarPipe({ id: "igzip", program: "igzip", reads: "gzip" });
export const zstdTar = tarPipe({ id: "zstd", program: "zstd", reads: "zstd" });
