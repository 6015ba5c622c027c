import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { archiveOf, member } from "../../support/tar-blocks.js";
import { zstdOf } from "../../support/zstd-frames.js";
import type { Input, Target } from "../fuzz-case.js";
import { filesOf, imageSeeds } from "../image-seeds.js";
import { openAndStage } from "./open-and-stage.js";

/** Archives of whole images, damaged as they are: plain, compressed, and with links inside. */
export const archives: Target = {
  name: "archives",
  share: 3,
  reaches: ["a rootfs", "IMAGE_INVALID of an image"],
  seeds: Object.fromEntries(
    Object.entries(imageSeeds).flatMap(([name, parts]): [string, Input][] => {
      const plain = packed(filesOf(parts, (tar) => tar));
      const linked = packed(
        filesOf(parts, (tar) => tar),
        { asLinks: true },
      );
      return [
        [`${name}, plain`, { archive: { kind: "tar", bytes: plain } }],
        [`${name}, with links`, { archive: { kind: "tar", bytes: linked } }],
        [`${name}, gzip`, { archive: { kind: "bytes", bytes: gzipSync(plain) } }],
        [`${name}, zstd`, { archive: { kind: "bytes", bytes: zstdOf(linked) } }],
      ];
    }),
  ),
  run: async ({ archive }, site) => {
    const path = `${site.directory}/image`;
    const bytes = archive?.bytes ?? Buffer.alloc(0);
    writeFileSync(path, archive?.kind === "tar" && site.dice.chance(0.3) ? gzipSync(bytes) : bytes);
    return await openAndStage(path, {
      ...site,
      transports: ["path", "path", "docker-archive", "oci-archive"],
    });
  },
};

/**
 * A tar archive of files.
 * @param how whether what is not a blob is a link to one, where there is one of the same content
 */
export function packed(
  files: ReadonlyMap<string, Buffer>,
  how: { asLinks?: boolean } = {},
): Buffer {
  const blobs = new Map([...files].map(([name, bytes]) => [bytes.toString("latin1"), name]));
  const members = [...files].map(([name, bytes]) => {
    const same = blobs.get(bytes.toString("latin1"));
    if (!how.asLinks || same === undefined || same === name) return member({ name }, bytes);
    return name.startsWith("blobs/")
      ? member({ name, type: "1", linkName: same })
      : member({ name, type: "2", linkName: `${"../".repeat(name.split("/").length - 1)}${same}` });
  });
  return archiveOf(...members);
}
