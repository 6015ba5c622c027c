import type { ExecFileException } from "node:child_process";
import * as v from "valibot";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { Credentials } from "./credentials.js";
import { parseSecretDocument } from "./secret-document.js";

/** A question to a credential helper. */
export interface HelperRequest {
  /** What its program's name has after `docker-credential-`. */
  readonly name: string;
  /** The key under which the helper was given the credentials. */
  readonly server: string;
  /** The file that asks for the helper. */
  readonly askedBy: string;
}

export interface HelperOptions {
  /** What the helper sees; its `PATH` is where it is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** How long the helper may take, in ms; 30 s by default. */
  readonly timeout?: number | undefined;
}

const answerSchema = v.object({
  Username: v.nullish(v.string(), ""),
  Secret: v.nullish(v.string(), ""),
});

/** The user name that stands for an identity token. */
const tokenUser = "<token>";

/** What every helper says where it has nothing, in these words (docker-credential-helpers). */
const notFound = "credentials not found in native keychain";

/**
 * Asks a helper of Docker's for credentials: `docker-credential-NAME get`.
 * @returns undefined: it has none
 * @throws StageError CONFIG that has nothing of what the helper says, which may be a secret
 */
export async function askHelper(
  request: HelperRequest,
  options: HelperOptions,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(request.name)) {
    throw failed(request, { why: "is no name of a credential helper", hint: "mend the file" });
  }
  const answer = await run(request, options);
  if (answer.toString("utf8").trim() === notFound) return undefined;
  const { Username, Secret } = parseSecretDocument(answer, {
    schema: answerSchema,
    what: `the answer of ${described(request)}`,
    code: "CONFIG",
    hint: seeForYourself(request),
  });
  if (Secret === "" && (Username === "" || Username === tokenUser)) return undefined;
  return Username === tokenUser
    ? { kind: "identity-token", username: Username, token: Secret }
    : { kind: "password", username: Username, password: Secret };
}

/** What the helper writes; that it has no credentials is an answer too. */
async function run(request: HelperRequest, options: HelperOptions): Promise<Buffer> {
  const { env, signal, timeout = 30_000 } = options;
  signal?.throwIfAborted();
  const { execFile } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = execFile(
      programOf(request),
      ["get"],
      { encoding: "buffer", env, signal, timeout, killSignal: "SIGKILL" },
      (error, answer) => {
        if (error === null || answer.toString("utf8").trim() === notFound) resolve(answer);
        else if (signal?.aborted) reject(signal.reason);
        else reject(failed(request, faultOf(error, { request, timeout })));
      },
    );
    // A helper may end without having read what it is asked.
    child.stdin?.on("error", () => {});
    child.stdin?.end(request.server);
  });
}

interface Fault {
  readonly why: string;
  readonly hint: string;
}

function faultOf(
  error: ExecFileException,
  { request, timeout }: { request: HelperRequest; timeout: number },
): Fault {
  const hint = seeForYourself(request);
  if (error.code === "ENOENT") {
    return { why: "is not in PATH", hint: "install it, or name another file with --authfile" };
  }
  if (typeof error.code === "string") return { why: `can't be used: ${error.code}`, hint };
  if (error.killed) return { why: `gave no answer within ${timeout / 1000} s`, hint };
  return { why: `failed with ${error.signal ?? `status ${error.code}`}`, hint };
}

function failed(request: HelperRequest, { why, hint }: Fault): StageError {
  return new StageError("CONFIG", `${described(request)} ${why}`, { hint });
}

function described(request: HelperRequest): string {
  return `${printable(programOf(request))} (asked for by ${printable(request.askedBy)})`;
}

function programOf({ name }: HelperRequest): string {
  return `docker-credential-${name}`;
}

function seeForYourself(request: HelperRequest): string {
  return `see what it says: echo ${printable(request.server)} | ${programOf(request)} get`;
}
