import { inspect } from "node:util";

/** A password that nothing else contains. */
export const secret = "s3cret-Pa55";

/** An `auth` of auth files. */
export function authOf(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

/** All that an error could let out, through its causes too. */
export function everythingIn(error: Error): string {
  return inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
}
