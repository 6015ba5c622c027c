/**
 * A word for a file's name that nobody else makes at the same time. It is no secret: where it is
 * used, only the caller can write.
 */
export function uniqueWord(): string {
  return `${process.pid.toString(36)}-${Math.random().toString(36).slice(2)}`;
}
