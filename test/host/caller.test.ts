import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { callerIdentity, identityOf } from "../../src/host/caller.js";
import { livenessOf, ownIdentity } from "../../src/host/process-identity.js";
import { identityOf as identityByTest } from "../support/identities.js";

/** Starts a shell script and gives its PID with the first line it prints. */
async function shellSaying(script: string): Promise<{ pid: number; said: number }> {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  return { pid: child.pid ?? 0, said: Number(String(line).trim()) };
}

/** A program that prints its parent's PID, and stays. */
const sayParent = `${process.execPath} -e 'console.log(process.ppid); process.stdin.resume()'`;

describe("the caller", () => {
  test("is the parent", () => {
    expect(callerIdentity()).toEqual(identityByTest(process.ppid));
  });

  test("is the shell, where the parent is a program of its own", async () => {
    const { pid, said } = await shellSaying(`${sayParent}; true`);
    expect(said).toBe(pid);
    expect(callerIdentity(said)).toEqual(identityByTest(pid));
  });

  test.each([
    ["in a pipeline", `{ ${sayParent}; true; } | cat; true`],
    ["in a subshell of a subshell", `( ( ${sayParent}; true ); true ); true`],
  ])("is the shell, where the parent is a subshell %s", async (_, script) => {
    const { pid, said } = await shellSaying(script);
    expect(said).not.toBe(pid);
    expect(callerIdentity(said)).toEqual(identityByTest(pid));
  });

  test.each([0, 1])("is nobody, where the parent is PID %i", (pid) => {
    expect(callerIdentity(pid)).toBeUndefined();
  });

  test("is nobody, where the parent has ended", () => {
    expect(callerIdentity(0x7fffffff)).toBeUndefined();
  });
});

describe("identityOf", () => {
  test("names a process so that it can be told whether it lives", () => {
    expect(identityOf(process.pid)).toEqual(ownIdentity());
    const parent = identityOf(process.ppid);
    expect(parent && livenessOf(parent)).toBe("alive");
  });

  test("names none that has ended, also while its parent has not noticed", async () => {
    expect(identityOf(0x7fffffff)).toBeUndefined();
    const { said } = await shellSaying("sh -c 'echo $$; exec sleep 0' & exec sleep 60");
    await expect.poll(() => identityOf(said)).toBeUndefined();
  });
});
