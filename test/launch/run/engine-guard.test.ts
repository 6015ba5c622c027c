import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { EngineGuard } from "../../../src/launch/run/engine-guard.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/** A process like an engine's client, that is still there. */
function client(): number {
  const child = spawn("sleep", ["60"]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child.pid ?? 0;
}

/** A guard of an engine whose client writes down what it is asked. */
function guarded() {
  const directory = scratchDirectory();
  const log = `${directory}/log`;
  writeFileSync(`${directory}/podman`, `#!/bin/sh\necho "$VAR: $*" >>${log}\n`, { mode: 0o755 });
  const guard = new EngineGuard(`${directory}/podman`, { VAR: "value" });
  onTestFinished(() => guard.dismiss());
  const command = {
    argv: ["/bin/podman", "--opt", "run", "--rm", "run"] as const,
    env: {},
    fds: [],
  };
  const { argv } = guard.watched({ ...command, argv: [...command.argv] });
  const idFile = argv[4] ?? "";
  return { guard, argv, idFile, asked: () => (existsSync(log) ? readFileSync(log, "utf8") : "") };
}

describe("EngineGuard", () => {
  test("has the client say which container it makes", () => {
    const { argv, idFile } = guarded();
    expect(argv).toEqual(["/bin/podman", "--opt", "run", "--cidfile", idFile, "--rm", "run"]);
    // Engines refuse one that is there.
    expect(existsSync(idFile)).toBe(false);
    expect(existsSync(dirname(idFile))).toBe(true);
  });

  test("has the engine kill the container, with the client's environment", async () => {
    const { guard, idFile, asked } = guarded();
    guard.watch(client());
    writeFileSync(idFile, "0123abcd");
    await guard.kill();
    expect(asked()).toBe("value: kill --signal KILL 0123abcd\n");
    expect(existsSync(dirname(idFile))).toBe(false);
  });

  test("asks for nothing where no container was made", async () => {
    const { guard, asked } = guarded();
    guard.watch(client());
    await guard.kill();
    expect(asked()).toBe("");
  });

  test("asks for nothing and leaves nothing when it is dismissed", async () => {
    const { guard, idFile, asked } = guarded();
    guard.watch(client());
    writeFileSync(idFile, "0123abcd");
    guard.dismiss();
    await guard.kill();
    expect(asked()).toBe("");
    expect(existsSync(dirname(idFile))).toBe(false);
  });
});
