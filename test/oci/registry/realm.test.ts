import { describe, expect, test } from "vitest";
import { checkRealm } from "../../../src/oci/registry/realm.js";
import { refusal } from "../../support/refusal.js";

function check(realm: string | undefined, registry: string, allowInsecure = false): string {
  return checkRealm(realm, { registryUrl: new URL(registry), allowInsecure }).href;
}

describe("checkRealm", () => {
  test.each([
    [
      "https://auth.docker.io/token",
      "https://registry-1.docker.io/v2/",
      "https://auth.docker.io/token",
    ],
    ["https://r.io/token?a=b", "https://r.io", "https://r.io/token?a=b"],
    ["https://r.io:8443/token#part", "https://r.io", "https://r.io:8443/token"],
    ["HTTPS://R.IO", "https://r.io", "https://r.io/"],
    ["http://localhost:5001/token", "http://localhost:5000", "http://localhost:5001/token"],
    ["http://127.0.0.1/token", "http://127.3.2.1:5000", "http://127.0.0.1/token"],
    ["http://127.1/token", "https://r.io", "http://127.0.0.1/token"],
    ["http://[::1]:80/token", "http://[0:0::1]:5000", "http://[::1]/token"],
    ["https://auth.r.io/token", "http://localhost:5000", "https://auth.r.io/token"],
  ])("lets the user's credentials go to %s of %s", (realm, registry, url) => {
    expect(check(realm, registry)).toBe(url);
  });

  test.each([
    ["http://auth.r.io/token", "https://r.io", "the token server auth.r.io of r.io is"],
    ["http://r.io/token", "https://r.io", "the token server r.io of r.io is"],
    ["https://auth.r.io/token", "http://r.io:5000", "r.io:5000 is"],
    ["http://auth.r.io/token", "http://r.io:5000", "r.io:5000 is"],
    ["http://localhost/token", "http://r.io", "r.io is"],
    ["http://localhost.r.io/token", "https://r.io", "the token server localhost.r.io"],
    ["http://127.0.0.1.r.io/token", "https://r.io", "the token server 127.0.0.1.r.io"],
    ["http://127.evil.r.io/token", "https://r.io", "the token server 127.evil.r.io"],
    ["http://[::2]/token", "https://r.io", "the token server [::2]"],
    ["http://0.0.0.0/token", "https://r.io", "the token server 0.0.0.0"],
    ["http://10.127.0.1/token", "https://r.io", "the token server 10.127.0.1"],
  ])("keeps them from %s of %s, unless the user allows it", (realm, registry, whom) => {
    const error = refusal(() => check(realm, registry));
    expect(error).toMatchObject({ code: "AUTH", exitStatus: 77 });
    expect(error.message).toBe(
      `${whom.replace(/ is$/, "")}${whom.endsWith(" is") ? "" : " of r.io"} is reached over plain HTTP, and credentials are not sent that way`,
    );
    expect(error.hint).toBe(
      `if you trust the network: --insecure-registry ${new URL(registry).host}`,
    );
    expect(check(realm, registry, true)).toBe(new URL(realm).href);
  });

  test.each([
    undefined,
    "",
    "token",
    "/token",
    "//auth.r.io/token",
    "auth.r.io/token",
    "https:",
    "https://",
    "https://[",
    "https://a:99999/",
    "ftp://r.io/token",
    "file:///etc/passwd",
    "data:application/json,{}",
    "javascript:alert(1)",
    "https://user@r.io/token",
    "https://user:word@r.io/token",
    "https://:word@r.io/token",
    "https://r.io\x1b[2J\n@x/",
    "x".repeat(100_000),
  ])("refuses %j, even if insecure ones are allowed", (realm) => {
    for (const allowInsecure of [false, true]) {
      const error = refusal(() => check(realm, "https://r.io:5000", allowInsecure));
      expect(error).toMatchObject({ code: "REGISTRY", exitStatus: 69 });
      expect(error.message).toContain("r.io:5000");
      expect(error.message.length).toBeLessThan(400);
      expect(error.hint).toContain("make sure that this is a registry");
      expect(error.message).not.toMatch(/user@|word@/);
    }
  });
});
