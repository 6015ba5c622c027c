import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Makes `docker-credential-NAME`, a shell script, in a directory that is to be in `PATH`. */
export function writeHelper(bin: string, { name, script }: { name: string; script: string }): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** `PATH` with `bin` in front, and all else that a shell script needs. */
export function environmentWith(bin: string): Record<string, string> {
  return { PATH: `${bin}:/usr/bin:/bin` };
}

/** A script that answers for one server with these credentials, and has none for any other. */
export function helperFor(answer: { server: string; username: string; secret: string }): string {
  const { server, username, secret } = answer;
  const json = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  return `[ "$1" = get ] || exit 3
if [ "$(cat)" = '${server}' ]; then echo '${json}'; exit 0; fi
echo credentials not found in native keychain
exit 1`;
}
