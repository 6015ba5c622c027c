/** What can go wrong, as users and programs see it. The exit status follows from the code. */
const exitStatus = {
  USAGE: 2,
  IMAGE_INVALID: 65,
  IMAGE_UNSUPPORTED: 65,
  DIGEST_MISMATCH: 65,
  CACHE_DAMAGED: 65,
  LIMIT_LAYERS: 65,
  LIMIT_DOCUMENT: 65,
  LIMIT_ENTRIES: 65,
  LIMIT_UNPACKED: 65,
  LIMIT_FILE: 65,
  LIMIT_RECORD: 65,
  LIMIT_DEPTH: 65,
  LIMIT_RATIO: 65,
  NOT_FOUND: 66,
  REFERENCE_AMBIGUOUS: 66,
  REGISTRY: 69,
  INTERNAL: 70,
  NO_SPACE: 73,
  NOT_WRITABLE: 73,
  BUSY: 75,
  CANCELLED: 75,
  PERMISSION: 77,
  AUTH: 77,
  CACHE_UNTRUSTED: 77,
  CONFIG: 78,
  CACHE_UNSUITABLE: 78,
  SANDBOX: 125,
  TOO_LONG: 125,
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
} as const;

export type ErrorCode = keyof typeof exitStatus;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(exitStatus, text);
}

export interface StageErrorOptions {
  /** What the user can do about it, as one sentence. */
  hint?: string | undefined;
  cause?: unknown;
  /** All that is wrong, where a look for faults found several; the first is the error itself. */
  findings?: readonly Fault[] | undefined;
}

/** One of several things that are wrong. */
export interface Fault {
  /** For programs: `BIND_SOURCE_MISSING`. */
  code: string;
  message: string;
  hint?: string;
}

/** The plain form of a {@link StageError}: what crosses threads and what `--json` prints. */
export interface ErrorReport {
  code: ErrorCode;
  message: string;
  hint?: string;
  findings?: readonly Fault[];
}

/** The one error class of stage-rootfs. Match on `code`; `message` is for people. */
export class StageError extends Error {
  override readonly name = "StageError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly findings: readonly Fault[] | undefined;

  constructor(code: ErrorCode, message: string, options: StageErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.findings = options.findings;
  }

  /** The exit status that the command line gives for this error. */
  get exitStatus(): number {
    return exitStatus[this.code];
  }

  toReport(): ErrorReport {
    const report: ErrorReport = { code: this.code, message: this.message };
    if (this.hint !== undefined) report.hint = this.hint;
    if (this.findings !== undefined) report.findings = this.findings;
    return report;
  }

  static fromReport(report: ErrorReport): StageError {
    const { code, message, hint, findings } = report;
    return new StageError(code, message, { hint, findings });
  }
}

/** Any error as one of ours: what nobody expected is a bug. */
export function asStageError(error: unknown): StageError {
  if (error instanceof StageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StageError("INTERNAL", `internal error: ${message}`, {
    hint: "this is a bug: please report it with what STAGE_ROOTFS_DEBUG=1 adds",
    cause: error,
  });
}

/** The same error with `where` said first, for instance the layer it happened in. */
export function within(where: string, error: unknown): unknown {
  if (!(error instanceof StageError)) return error;
  return new StageError(error.code, `${where}: ${error.message}`, {
    hint: error.hint,
    cause: error.cause ?? error,
  });
}

/** What Node has no names for, by Linux's numbers (asm-generic/errno.h). */
const unnamed: ReadonlyMap<unknown, string> = new Map([
  [74, "EBADMSG"],
  [116, "ESTALE"],
  [117, "EUCLEAN"],
  [122, "EDQUOT"],
]);

/** The errno code of a failed system call (`"ENOENT"`), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if ("errno" in error && typeof error.errno === "number") {
    const name = unnamed.get(-error.errno);
    if (name !== undefined) return name;
  }
  return typeof error.code === "string" ? error.code : undefined;
}

interface Known {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint?: string;
}

function limitReached(of: string): Known {
  return {
    code: "BUSY",
    reason: `the limit of ${of} is reached`,
    hint: "raise the limit, or try again with --jobs 1",
  };
}

function badDisk(reason: string): Known {
  return { code: "NOT_WRITABLE", reason, hint: "look at the node's disk" };
}

const byErrno: Partial<Record<string, Known>> = {
  ENOENT: { code: "NOT_FOUND", reason: "no such file or directory" },
  ENOTDIR: { code: "NOT_FOUND", reason: "a part of the path is not a directory" },
  EACCES: { code: "PERMISSION", reason: "permission denied" },
  EPERM: { code: "PERMISSION", reason: "operation not permitted" },
  ELOOP: { code: "NOT_FOUND", reason: "too many symbolic links" },
  ENAMETOOLONG: { code: "IMAGE_UNSUPPORTED", reason: "the name is too long for this disk" },
  ENOSPC: {
    code: "NO_SPACE",
    reason: "no space, or no inode, left on the disk",
    hint: "free some space, or choose another disk with --cache-dir",
  },
  EDQUOT: {
    code: "NO_SPACE",
    reason: "the disk quota is used up",
    hint: "free some space, or choose another disk with --cache-dir",
  },
  EIO: badDisk("input/output error"),
  EUCLEAN: badDisk("the file system is damaged"),
  EBADMSG: badDisk("the file system is damaged"),
  ESTALE: badDisk("the file system has lost it (stale file handle)"),
  EMFILE: limitReached("open files (ulimit -n)"),
  ENFILE: limitReached("open files of the machine"),
  EAGAIN: limitReached("processes and threads (ulimit -u)"),
  ENOMEM: limitReached("memory"),
  EXDEV: {
    code: "NOT_WRITABLE",
    reason: "it is spread over several disks",
    hint: "have all of the cache on one disk",
  },
  EROFS: {
    code: "NOT_WRITABLE",
    reason: "the file system is read-only",
    hint: "choose a writable cache with --cache-dir",
  },
};

/**
 * A failed system call as a {@link StageError}; any other error is returned as it is.
 * `doing` says what was tried, with its path: `read /images/a.tar`.
 */
export function fromSystemError(error: unknown, doing: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof StageError || errno === undefined) return error;
  const known = byErrno[errno];
  if (!known) return error;
  return new StageError(known.code, `cannot ${doing}: ${known.reason}`, {
    hint: known.hint,
    cause: error,
  });
}
