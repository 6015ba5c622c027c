/** How much of a disk something takes. */
export interface Amount {
  readonly bytes: number;
  readonly inodes: number;
}

export const nothing: Amount = { bytes: 0, inodes: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes };
}

export function minus(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes - b.bytes, inodes: a.inodes - b.inodes };
}
