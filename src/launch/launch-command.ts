/** A program to start: what `command` prints and what `run` starts. */
export interface LaunchCommand {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads from descriptors beside the standard ones. */
  readonly fds: readonly FdContent[];
  /** What it does otherwise than was planned by default: one sentence each, for people. Default: none. */
  readonly warnings?: readonly string[] | undefined;
}

/** A descriptor that the program finds open, and what it reads from it up to the end. */
export interface FdContent {
  /** From 3. */
  readonly fd: number;
  readonly content: Uint8Array;
}
