import { closeSync, fchmodSync, futimesSync } from "node:fs";
import { fileTime } from "../host/file-time.js";
import { writeAll } from "../host/write-all.js";
import type { DigestLog } from "./listing/digest-log.js";
import { own } from "./own.js";

/** Gives an entry's content piece by piece; an empty piece ends it. */
export type ContentReader = () => Buffer;

/** What a new file gets beside its content. */
export interface FileFinish {
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Where open(2) could not give it. */
  readonly mode: number | undefined;
  /** Where it is not the one that made the file. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export interface FileContent {
  readonly content: ContentReader;
  /** How many bytes `content` gives. */
  readonly size: number;
  readonly finish: FileFinish;
}

/** Whoever fills new files. */
export interface FileFiller {
  /** Takes over a file that was just made: fills it, finishes it, closes it, now or later. */
  fill(fd: number, file: FileContent): void;
  /** Returns when all files are complete and closed. */
  settle(): void;
}

/** Fills each file at once. @param digests where the digests of what is written go */
export function fillingAtOnce(digests?: DigestLog): FileFiller {
  return {
    fill(fd, { content, size, finish }) {
      try {
        let rest = size;
        for (let piece = content(); piece.length > 0; piece = content()) {
          rest -= piece.length;
          digests?.add(piece, { isLast: rest === 0 });
          writeAll(fd, piece);
        }
        if (size === 0) digests?.add(nothing, { isLast: true });
        finishFile(fd, finish);
      } finally {
        closeSync(fd);
      }
    },
    settle: () => undefined,
  };
}

const nothing = Buffer.alloc(0);

/** Owner, mode and time, in this order: chown(2) drops bits of the mode. */
export function finishFile(fd: number, { owner, mode, mtime }: FileFinish): void {
  if (owner) own(fd, owner);
  if (mode !== undefined) fchmodSync(fd, mode);
  const time = fileTime(mtime);
  futimesSync(fd, time, time);
}
