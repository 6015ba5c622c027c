import { lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { findWeakness } from "../../host/weak-path.js";

/** A cache's directory, and who looks at it. */
export interface CachePlace {
  readonly cacheDirectory: string;
  readonly uid: number;
  /** Users beside root whose shared caches are good enough. */
  readonly trustedOwners?: readonly number[] | undefined;
}

/**
 * Whose a cache is: nobody's while there is none, the caller's own, or one that somebody shares
 * whom the caller trusts, to be read only.
 */
export type CacheStanding = "missing" | "own" | "foreign";

/**
 * Makes sure that nobody whom the caller does not trust can have prepared a cache directory, or can
 * put another in its place: it is a directory of the caller's, of root's or of a trusted owner's,
 * only its owner can write to it, and so it is with all directories above it, but for those in
 * which everybody can only replace what is theirs.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION
 */
export function checkTrust(place: CachePlace): CacheStanding {
  const { cacheDirectory, uid, trustedOwners = [] } = place;
  const stat = statIfAny(cacheDirectory);
  if (stat) checkDirectory(cacheDirectory, { stat, place });
  const users = [uid, ...(stat && stat.uid !== uid ? trustedOwners : [])];
  const weakness = weaknessOf(cacheDirectory, users);
  if (weakness) {
    throw untrusted(
      cacheDirectory,
      `could be replaced: ${printable(weakness.path)} ${weakness.reason}`,
    );
  }
  if (!stat) return "missing";
  for (const name of parts) checkOwned(`${cacheDirectory}/${name}`, stat.uid);
  return stat.uid === uid ? "own" : "foreign";
}

/** What a cache consists of. Through a link in place of one, what is outside would be cleaned up. */
const parts = [
  "v1",
  ...["v1/index", "v1/rootfs", "v1/layers"],
  ...["v1/tmp", "v1/locks", "v1/leases", "v1/blobs", "v1/nodes"],
];

/**
 * Whether there is a cache; somebody else's is refused, even one that is shared.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION
 */
export function hasOwnCache(place: CachePlace): boolean {
  const standing = checkTrust(place);
  if (standing === "foreign") {
    const owner = lstatSync(place.cacheDirectory).uid;
    throw untrusted(place.cacheDirectory, `belongs to user ${owner}, not to you (${place.uid})`);
  }
  return standing === "own";
}

/**
 * Whether something in a cache is what the cache's owner has put there: it, and not a link to it,
 * belongs to the owner of the directory that it is in, and nobody else can write to it.
 */
export function isOwners(path: string): boolean {
  const stat = statIfAny(path);
  if (!stat || stat.isSymbolicLink() || isWritable(stat)) return false;
  return stat.uid === statIfAny(dirname(path))?.uid;
}

function checkDirectory(path: string, { stat, place }: { stat: Stats; place: CachePlace }): void {
  const { uid, trustedOwners = [] } = place;
  if (stat.isSymbolicLink()) throw untrusted(path, "is a symbolic link");
  if (!stat.isDirectory()) throw untrusted(path, "is not a directory");
  if (isWritable(stat)) throw untrusted(path, "can be written to by others");
  if (![uid, 0, ...trustedOwners].includes(stat.uid)) {
    throw untrusted(path, `belongs to user ${stat.uid}, not to you (${uid})`, {
      hint: `use a directory of your own with --cache-dir DIR, or say --trust-owner ${stat.uid} if its owner shares it with you`,
    });
  }
}

/** Of what a cache needs not have yet. */
function checkOwned(path: string, owner: number): void {
  const stat = statIfAny(path);
  if (!stat) return;
  if (stat.isSymbolicLink()) throw untrusted(path, "is a symbolic link");
  if (!stat.isDirectory()) throw untrusted(path, "is not a directory", { hint: "remove it" });
  if (stat.uid !== owner) throw untrusted(path, `belongs to user ${stat.uid}, not to ${owner}`);
  if (isWritable(stat)) throw untrusted(path, "can be written to by others");
}

function isWritable({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0;
}

function weaknessOf(path: string, users: readonly number[]) {
  try {
    return findWeakness(path, users);
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw fromSystemError(error, `look at the cache ${printable(path)}`);
  }
}

function statIfAny(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw fromSystemError(error, `look at the cache ${printable(path)}`);
  }
}

function untrusted(
  path: string,
  doubt: string,
  { hint = "use a directory of your own with mode 0700: --cache-dir DIR" } = {},
): StageError {
  return new StageError("CACHE_UNTRUSTED", `the cache ${printable(path)} ${doubt}`, { hint });
}
