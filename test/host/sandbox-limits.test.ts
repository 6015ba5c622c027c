import { expect, test } from "vitest";
import { sandboxLimits } from "../../src/host/sandbox-limits.js";

const status =
  "Name:\tnode\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";

test.each([
  [
    {},
    { maxUserNamespaces: undefined, unprivilegedUserNamespaces: true, appArmorRestricts: false },
  ],
  [{ "/proc/sys/user/max_user_namespaces": "0\n" }, { maxUserNamespaces: 0 }],
  [{ "/proc/sys/user/max_user_namespaces": "96343\n" }, { maxUserNamespaces: 96343 }],
  [{ "/proc/sys/kernel/unprivileged_userns_clone": "0\n" }, { unprivilegedUserNamespaces: false }],
  [{ "/proc/sys/kernel/unprivileged_userns_clone": "1\n" }, { unprivilegedUserNamespaces: true }],
  [
    { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n" },
    { appArmorRestricts: true },
  ],
  [
    { "/proc/self/status": status },
    { seccomp: true, noNewPrivileges: true, capabilities: "00000000a80425fb" },
  ],
  [
    { "/proc/self/status": "Seccomp:\t0\nNoNewPrivs:\t0\n" },
    { seccomp: false, noNewPrivileges: false },
  ],
])("of %j it is known: %j", (files: Readonly<Record<string, string>>, expected) => {
  expect(sandboxLimits((path) => files[path])).toMatchObject(expected);
});

test("those of this process can be read", () => {
  expect(sandboxLimits().capabilities).toMatch(/^[0-9a-f]{16}$/);
});
