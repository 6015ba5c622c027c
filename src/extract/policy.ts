/** What of the image's owners and modes the disk gets. Part of the cache's keys. */
export interface OwnershipPolicy {
  /** `image`: each file gets its owner (needs root). `squash`: all belong to the caller. */
  readonly owner: "image" | "squash";
  /** Whether setuid and setgid bits are kept. */
  readonly setuid: "drop" | "keep";
  /** Who may write to files and directories. Default: whoever the image lets. */
  readonly writers?: "owner" | undefined;
}

/**
 * A word for file names and keys; empty for what is the default of the user `uid`. Of a tree that
 * everybody may use it is the same for all.
 */
export function policyTag(policy: OwnershipPolicy, uid: number): string {
  if (policy.writers === "owner") return "shared";
  const usual = uid === 0 ? "image" : "squash";
  const words = [
    policy.owner === usual ? "" : policy.owner,
    policy.setuid === "keep" ? "setuid" : "",
  ];
  return words.filter((word) => word !== "").join("-");
}
