import type { ErrorCode, Fault } from "../../errors.js";

/** What keeps a sandbox from starting. */
export type LaunchFaultCode =
  | "BIND_SOURCE_MISSING"
  | "BIND_SOURCE_UNREADABLE"
  | "BIND_SUBMOUNT_WRITABLE"
  | "MOUNT_TARGET_MISSING"
  | "MOUNT_TARGET_KIND"
  | "MOUNT_TARGET_LINK"
  | "MOUNT_HIDDEN"
  | "WORKING_DIRECTORY_MISSING"
  | "WORKING_DIRECTORY_KIND"
  | "COMMAND_NOT_FOUND"
  | "COMMAND_NOT_EXECUTABLE"
  | "INTERPRETER_MISSING"
  | "TOO_LONG"
  | "NUL_BYTE";

/** Those that have an error of their own, as a shell's exit statuses have it. */
const errorOf: Partial<Readonly<Record<LaunchFaultCode, ErrorCode>>> = {
  COMMAND_NOT_FOUND: "COMMAND_NOT_FOUND",
  COMMAND_NOT_EXECUTABLE: "COMMAND_NOT_EXECUTABLE",
  INTERPRETER_MISSING: "COMMAND_NOT_EXECUTABLE",
  TOO_LONG: "TOO_LONG",
};

export interface LaunchFault extends Fault {
  readonly code: LaunchFaultCode;
}

/** The code of the error for a fault. */
export function errorCodeOf({ code }: LaunchFault): ErrorCode {
  return errorOf[code] ?? "SANDBOX";
}
