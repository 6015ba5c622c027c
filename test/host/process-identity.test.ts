import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  formatIdentity,
  livenessOf,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "../../src/host/process-identity.js";

/** The identity of another process, which must run. */
function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { ...ownIdentity(), pid, startTime };
}

async function startedChild(script: string) {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  if (child.pid === undefined) throw new Error("no child");
  return { child, pid: child.pid, line: String(line).trim() };
}

describe("ownIdentity", () => {
  it("says what /proc says of this process", () => {
    expect(ownIdentity()).toEqual({
      ...identityOf(process.pid),
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      pidNamespace: /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0],
    });
  });
});

describe("livenessOf", () => {
  it("calls this process and its parent alive", () => {
    expect(livenessOf(ownIdentity())).toBe("alive");
    expect(livenessOf(identityOf(process.ppid))).toBe("alive");
  });

  it("calls a child alive while it runs, and dead afterwards", async () => {
    const { child, pid } = await startedChild("echo up; read x");
    const identity = identityOf(pid);
    expect(livenessOf(identity)).toBe("alive");
    child.stdin.end();
    await once(child, "exit");
    expect(livenessOf(identity)).toBe("dead");
  });

  it("reads the start time of a process whose name is made to confuse", async () => {
    const { pid } = await startedChild(`printf ') R 1 2 3 4 (' > /proc/$$/comm; echo up; read x`);
    expect(readFileSync(`/proc/${pid}/comm`, "utf8")).toContain(") R 1");
    expect(livenessOf(identityOf(pid))).toBe("alive");
  });

  it("calls a zombie dead", async () => {
    // The shell's child ends at once; exec makes a parent of it that never asks for its status.
    const { line } = await startedChild(`sh -c 'echo $$; read x' & exec sleep 30`);
    const pid = Number(line);
    const identity = identityOf(pid);
    for (let i = 0; i < 200 && !isZombie(pid); i++) await after(5);
    expect(isZombie(pid)).toBe(true);
    expect(livenessOf(identity)).toBe("dead");
  });

  it("calls a process dead whose PID another one has now", () => {
    const own = ownIdentity();
    const earlier = String(Number(own.startTime) - 1);
    expect(livenessOf({ ...own, startTime: earlier })).toBe("dead");
    expect(livenessOf({ ...own, startTime: "0" })).toBe("dead");
  });

  it("calls a process of another boot dead, whatever runs under its PID", () => {
    const bootId = "00000000-0000-4000-8000-000000000000";
    expect(livenessOf({ ...ownIdentity(), bootId })).toBe("dead");
  });

  it("says that it can't know of another host or PID namespace", () => {
    expect(livenessOf({ ...ownIdentity(), host: "elsewhere" })).toBe("unknown");
    expect(livenessOf({ ...ownIdentity(), pidNamespace: "1" })).toBe("unknown");
    const bootId = "00000000-0000-4000-8000-000000000000";
    expect(livenessOf({ ...ownIdentity(), host: "elsewhere", bootId })).toBe("unknown");
  });

  it.each([4_194_305, 2 ** 31, 2 ** 40])("calls the impossible PID %d dead", (pid) => {
    expect(livenessOf({ ...ownIdentity(), pid })).toBe("dead");
  });
});

function isZombie(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
}

describe("formatIdentity and parseIdentity", () => {
  it.each(["node-1.example.org", "a,b", "a/b c", "größe", "%41"])(
    "bring back a process of the host %s, by a word fit for a file name",
    (host) => {
      const identity = { ...ownIdentity(), host };
      const word = formatIdentity(identity);
      expect(word).toMatch(/^[A-Za-z0-9.,%_~!*'()-]+$/);
      expect(parseIdentity(word)).toEqual(identity);
    },
  );

  it.each([
    "",
    "x",
    "host,boot,1,2,3",
    "host,00000000-0000-4000-8000-000000000000,1,2",
    "host,00000000-0000-4000-8000-000000000000,1,2,3,4",
    "host,00000000-0000-4000-8000-000000000000,1,-2,3",
    "host,00000000-0000-4000-8000-000000000000,1,x,3",
    ",00000000-0000-4000-8000-000000000000,1,2,3",
    "%zz,00000000-0000-4000-8000-000000000000,1,2,3",
    "%ff,00000000-0000-4000-8000-000000000000,1,2,3",
    "host,00000000-0000-4000-8000-000000000000,1,0,3",
    "host,00000000-0000-4000-8000-000000000000,1,2,3\n",
  ])("make nothing of %j", (word) => {
    expect(parseIdentity(word)).toBeUndefined();
  });
});
