/**
 * The keys of entries whose rootfs is named by one of the texts: `…/v1/rootfs/<key>/rootfs`, or
 * something below it. Which cache that is of can't be told from a mount, which names its source
 * relative to the file system; an entry of the same key in another cache protects it too.
 */
export function keysInUse(texts: Iterable<string>): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const text of texts) {
    for (const [, key] of text.matchAll(/\/v1\/rootfs\/([^/\s]+)\/rootfs(?=[/\s,:]|$)/g)) {
      if (key !== undefined) keys.add(key);
    }
  }
  return keys;
}
