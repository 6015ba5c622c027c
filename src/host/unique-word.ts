/**
 * A word for a file's name that nobody else makes at the same time. It is no secret: where others
 * can write too, nothing more comes of one who guesses it than that the file can't be made.
 */
export function uniqueWord(): string {
  return `${process.pid.toString(36)}-${Math.random().toString(36).slice(2)}`;
}
