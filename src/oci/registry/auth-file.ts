import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { isRecord } from "../../host/read-json.js";
import type { AuthFile } from "./auth-file-paths.js";
import { parseSecretDocument } from "./secret-document.js";

/** What an auth file has under one key of `auths`. Both are empty where nothing is said. */
export interface AuthEntry {
  /** `USER:PASSWORD` in Base64. */
  readonly auth: string;
  /** An OAuth 2 refresh token. */
  readonly identitytoken: string;
}

/** What credentials are found by: containers-auth.json(5), and `config.json` of Docker. */
export interface AuthDocument {
  /** By registry, `HOST[:PORT]`, or a namespace or repository in it. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** The name of a credential helper, by registry. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The name of the credential helper for every other registry. */
  readonly credsStore: string | undefined;
}

/** What to do about a file that says what it can't mean. */
export const faultyFileHint = "mend it, or log in to another file and name that with --authfile";

/** An object, where valibot alone would take an array as well. */
function objectOf<Output>(
  schema: v.GenericSchema<unknown, Output>,
): v.GenericSchema<unknown, Output> {
  return v.pipe(v.unknown(), v.check(isRecord, "should be an object"), schema);
}

const entrySchema = objectOf(
  v.object({ auth: v.nullish(v.string(), ""), identitytoken: v.nullish(v.string(), "") }),
);

const authsSchema = objectOf(v.record(v.string(), v.nullish(entrySchema, {})));

const documentSchema = objectOf(
  v.object({
    auths: v.nullish(authsSchema, {}),
    credHelpers: v.nullish(objectOf(v.record(v.string(), v.string())), {}),
    credsStore: v.nullish(v.string(), ""),
  }),
);

const legacySchema = v.pipe(
  authsSchema,
  v.transform((auths) => ({ auths, credHelpers: {}, credsStore: "" })),
);

/**
 * Reads a file with credentials, whoever else may read it.
 * @returns undefined: it is a default one and not there
 * @throws StageError CONFIG that names the file and has nothing of its content
 */
export async function readAuthFile(file: AuthFile): Promise<AuthDocument | undefined> {
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  const { auths, credHelpers, credsStore } = parseSecretDocument(bytes, {
    schema: file.isLegacy ? legacySchema : documentSchema,
    what: printable(file.path),
    code: "CONFIG",
    hint: faultyFileHint,
  });
  return {
    auths: new Map(Object.entries(auths)),
    credHelpers: new Map(Object.entries(credHelpers)),
    credsStore: credsStore || undefined,
  };
}

async function readIfThere(file: AuthFile): Promise<Buffer | undefined> {
  try {
    return await readFile(file.path);
  } catch (error) {
    if (file.namedBy === undefined && isOutOfSight(file.path)) return undefined;
    throw unreadable(error, file);
  }
}

/**
 * Whether a path can't even be looked at. Without access to a directory on the way there is nothing
 * of the user's behind it: /run/containers is root's alone where only root runs Podman, and after
 * su(1) $XDG_RUNTIME_DIR may be another user's.
 */
function isOutOfSight(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return ["ENOENT", "ENOTDIR", "EACCES"].includes(errnoOf(error) ?? "");
  }
}

function unreadable(error: unknown, { path, namedBy }: AuthFile): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const doing = `read the credentials in ${printable(path)}`;
  const known = fromSystemError(error, doing);
  const message = known instanceof StageError ? known.message : `cannot ${doing}: ${errno}`;
  return new StageError("CONFIG", namedBy ? `${message} (named by ${namedBy})` : message, {
    hint: "name a file that you can read: skopeo login --authfile FILE HOST makes one",
    cause: error,
  });
}
