import { describe, expect, test } from "vitest";
import type { EngineFacts } from "../../../src/host/engine-facts.js";
import type { SandboxLimits } from "../../../src/host/sandbox-limits.js";
import type { ProbeEnd } from "../../../src/launch/choice/run-probe.js";
import { troubleIn } from "../../../src/launch/choice/troubles.js";
import type { RuntimeName } from "../../../src/launch/runtime.js";

const limits: SandboxLimits = {
  maxUserNamespaces: 96343,
  unprivilegedUserNamespaces: true,
  appArmorRestricts: false,
  seccomp: false,
  noNewPrivileges: false,
  capabilities: "0000000000000000",
};

const engines: EngineFacts = {
  cgroups: "v2",
  subordinateUids: 0,
  subordinateGids: 0,
  runtimeDirectory: undefined,
};

function trouble(
  name: RuntimeName,
  {
    stderr = "",
    end = {},
    changed = {},
  }: { stderr?: string; end?: Partial<ProbeEnd>; changed?: Partial<SandboxLimits> },
) {
  return troubleIn(
    { status: 1, signal: null, stdout: "", stderr, isLate: false, ...end },
    { name, program: `/usr/bin/${name}`, limits: { ...limits, ...changed }, engines },
  );
}

const tooMany =
  "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)\n";
const notPermitted =
  "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces. See <https://deb.li/bubblewrap> or <file:///usr/share/doc/bubblewrap/README.Debian.gz>.\n";
const podmanRefused = `time="2026-11-22T19:50:00Z" level=warning msg="\\"/\\" is not a shared mount, this could cause issues or missing mounts with rootless containers"
cannot clone: No space left on device
user namespaces are not enabled in /proc/sys/user/max_user_namespaces
time="2026-11-22T19:50:00Z" level=error msg="invalid internal status, try resetting the pause process with \\"podman system migrate\\": cannot re-exec process"
`;
const hybrid = `time="2026-11-22T19:49:31Z" level=error msg="cannot find UID/GID for user : no subuid ranges found for user \\"\\" in /etc/subuid - check rootless mode in man pages."
Error: OCI runtime error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2
`;

describe("troubleIn", () => {
  test.each([
    ["bwrap", tooMany, { maxUserNamespaces: 0 }, "max_user_namespaces is 0"],
    ["bwrap", tooMany, {}, "a limit in /proc/sys/user is reached"],
    [
      "bwrap",
      notPermitted,
      { unprivilegedUserNamespaces: false },
      "unprivileged_userns_clone is 0",
    ],
    ["bwrap", notPermitted, { appArmorRestricts: true }, "AppArmor"],
    ["bwrap", notPermitted, { seccomp: true }, "a seccomp filter"],
    ["bwrap", notPermitted, { maxUserNamespaces: undefined }, "the kernel has none"],
    ["bwrap", notPermitted, {}, "as in a chroot"],
    [
      "bwrap",
      "bwrap: setting up uid map: Permission denied",
      { appArmorRestricts: true },
      "AppArmor restricts them",
    ],
    [
      "bwrap",
      "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
      { appArmorRestricts: true },
      "AppArmor restricts them",
    ],
    ["bwrap", "bwrap: setting up uid map: Operation not permitted", {}, "root has no capabilities"],
    ["bwrap", "bwrap: Unknown option --overlay-src", {}, "does not know --overlay-src"],
    [
      "bwrap",
      "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
      {},
      "hides parts of its own",
    ],
    ["bwrap", "bwrap: --userns doesn't work in setuid mode", {}, "is setuid"],
    ["podman", podmanRefused, { maxUserNamespaces: 0 }, "max_user_namespaces is 0"],
    ["podman", hybrid, {}, "versions 1 and 2 are mixed"],
    [
      "podman",
      "Error: crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied",
      {},
      "may not raise RLIMIT_NOFILE",
    ],
    [
      "podman",
      'time="2026-11-22T20:00:29Z" level=error msg="cannot determine user\'s homedir"',
      {},
      "has no home",
    ],
    [
      "podman",
      'time="2026-11-22T20:00:31Z" level=error msg="stat /root/.config/containers/storage.conf: permission denied"',
      {},
      "has no home",
    ],
    ["podman", "cannot resolve /nonexistent: lstat /nonexistent: no such file", {}, "has no home"],
    [
      "apptainer",
      "FATAL:   Couldn't determine user account information: user: unknown userid 23456",
      {},
      "needs an account",
    ],
    [
      "apptainer",
      "FATAL:   could not use fakeroot: no mapping entry found in /etc/subuid for root",
      {},
      "can't make you root",
    ],
    [
      "apptainer",
      "FATAL:   --fakeroot requires either being in /etc/subuid, unprivileged user namespaces, or the fakeroot command",
      { maxUserNamespaces: 0 },
      "max_user_namespaces is 0",
    ],
    [
      "apptainer",
      "ERROR  : Failed to create network namespace: maximum number of network namespaces exceeded, check /proc/sys/user/max_net_namespaces\n\u001b[0m",
      {},
      "a limit in /proc/sys/user is reached",
    ],
    [
      "podman",
      "Error: OCI runtime error: crun: unshare: No space left on device",
      {},
      "a limit in /proc/sys/user is reached",
    ],
    [
      "docker",
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      {},
      "reaches no engine",
    ],
    [
      "docker",
      'docker: permission denied while trying to connect to the Docker daemon socket at unix:///d.sock: Head "http://d.sock/_ping": connect: permission denied',
      {},
      "no permission on the socket",
    ],
  ] as const)("%s: %s %j", (name, stderr, changed, reason) => {
    const found = trouble(name, { stderr, changed });
    expect(found.reason).toContain(reason);
    // What to do is one line, and is always said.
    expect(found.remedy).toMatch(/^\S[^\n]{8,}$/);
  });

  test("does not take a word of one runtime for a trouble of another", () => {
    expect(trouble("bwrap", { stderr: "Cannot connect to the Docker daemon" }).reason).toBe(
      "failed with status 1: Cannot connect to the Docker daemon",
    );
  });

  test.each([
    [{ isLate: true, status: null, signal: "SIGKILL" as const }, "did not answer in time"],
    [{ status: null, error: new Error("spawn EACCES") }, "can't be started: spawn EACCES"],
    [{ status: null, signal: "SIGSEGV" as const }, "failed with signal SIGSEGV"],
    [{ status: 7 }, "failed with status 7"],
  ])("says how it ended: %j", (end, reason) => {
    expect(trouble("bwrap", { end }).reason).toContain(reason);
  });

  test("shows the last line of what is not known, as one that harms no terminal", () => {
    const stderr = `first\nlast \u001b[31m\u0007${"x".repeat(1000)}\n\u001b[0m\n`;
    const { reason } = trouble("apptainer", { stderr });
    expect(reason).toMatch(/^failed with status 1: last /);
    for (const control of ["\u001b", "x1b", "\u0007"]) expect(reason).not.toContain(control);
    expect(reason.length).toBeLessThan(300);
  });

  test("shows of podman's log the message alone", () => {
    const stderr = 'time="2026-11-22T20:00:29Z" level=error msg="no \\"disk\\" here"';
    expect(trouble("podman", { stderr }).reason).toBe('failed with status 1: no "disk" here');
  });
});
