import { describe, expect, test } from "vitest";
import { decodeEntry, findEntry } from "../../../src/oci/registry/auth-entry.js";
import { refusal } from "../../support/refusal.js";
import { authOf, everythingIn, secret } from "../../support/secrets.js";

describe("findEntry", () => {
  function keyFound(keys: readonly string[], name: string, isLegacy = false) {
    const [registry = "", ...parts] = name.split("/");
    const auths = new Map(keys.map((key) => [key, { auth: key, identitytoken: "" }]));
    const found = findEntry({ registry, repository: parts.join("/") }, { auths, isLegacy });
    expect(found?.entry.auth).toBe(found?.key);
    return found?.key;
  }

  test.each([
    { keys: ["r.io", "r.io/a", "r.io/a/b", "r.io/a/b/c"], name: "r.io/a/b/c", key: "r.io/a/b/c" },
    { keys: ["r.io", "r.io/a", "r.io/a/b"], name: "r.io/a/b/c", key: "r.io/a/b" },
    { keys: ["r.io", "r.io/a"], name: "r.io/a/b/c", key: "r.io/a" },
    { keys: ["r.io"], name: "r.io/a/b/c", key: "r.io" },
    { keys: ["r.io/a/b/c/d", "r.io/x", "io"], name: "r.io/a/b/c", key: undefined },
    { keys: ["r.io/a"], name: "r.io/ab/c", key: undefined },
    { keys: ["r.io:5000"], name: "r.io/a", key: undefined },
    { keys: ["r.io"], name: "r.io:5000/a", key: undefined },
    { keys: ["localhost:5000"], name: "localhost:5000/a", key: "localhost:5000" },
    { keys: ["xr.io", "r.iox", "R.IO"], name: "r.io/a", key: undefined },
  ])("of $keys takes $key for $name", ({ keys, name, key }) => {
    expect(keyFound(keys, name)).toBe(key);
  });

  test.each([
    { keys: ["https://r.io"], name: "r.io/a", key: "https://r.io" },
    { keys: ["http://r.io/v2/"], name: "r.io/a", key: "http://r.io/v2/" },
    { keys: ["https://r.io/v1/", "r.io"], name: "r.io/a", key: "r.io" },
    { keys: ["https://r.io:5000/v1/"], name: "r.io:5000/a", key: "https://r.io:5000/v1/" },
    {
      keys: ["ftp://r.io", "https://r.io.evil/", "https://u@r.io/"],
      name: "r.io/a",
      key: undefined,
    },
    { keys: ["r.io/v1/"], name: "r.io/a", key: undefined },
    { keys: ["https://r.io/a"], name: "r.io/b", key: "https://r.io/a" },
  ])("of URLs and hosts $keys takes $key for $name", ({ keys, name, key }) => {
    expect(keyFound(keys, name)).toBe(key);
  });

  const hubImage = "docker.io/library/debian";
  test.each([
    { keys: ["https://index.docker.io/v1/"], key: "https://index.docker.io/v1/" },
    { keys: ["index.docker.io"], key: "index.docker.io" },
    { keys: ["registry-1.docker.io"], key: "registry-1.docker.io" },
    { keys: ["https://registry-1.docker.io/v2/"], key: "https://registry-1.docker.io/v2/" },
    { keys: ["https://index.docker.io/v1/", "docker.io"], key: "docker.io" },
    { keys: ["docker.io", "docker.io/library"], key: "docker.io/library" },
    { keys: ["https://index.docker.io/v1/", "docker.io/library"], key: "docker.io/library" },
    { keys: ["hub.docker.com", "auth.docker.io", "docker.com"], key: undefined },
  ])("of $keys takes $key for Docker Hub", ({ keys, key }) => {
    expect(keyFound(keys, hubImage)).toBe(key);
  });

  test.each([
    { keys: ["https://r.io/v1/"], name: "r.io/a", key: "https://r.io/v1/" },
    { keys: ["r.io/v1/"], name: "r.io/a", key: "r.io/v1/" },
    { keys: ["r.io/a/b", "r.io"], name: "r.io/a/b", key: "r.io" },
  ])("in .dockercfg of $keys takes $key for $name", ({ keys, name, key }) => {
    expect(keyFound(keys, name, true)).toBe(key);
  });
});

describe("decodeEntry", () => {
  function decoded(auth: string, identitytoken = "") {
    return decodeEntry({ auth, identitytoken }, "/a.json: auths.r.io");
  }

  test.each([
    ["user", "password"],
    ["user", "pass:with:colons"],
    ["user", ""],
    ["", "password"],
    ["üser", "pässwört €"],
    ["user", "\ufeffword"],
    ["user", "in\0side"],
  ])("gives user %j and password %j", (username, password) => {
    const credentials = { kind: "password", username, password };
    expect(decoded(authOf(username, password))).toEqual(credentials);
  });

  test.each(["word\0", "word\0\0\0\0", "\0word", "\0\0word\0"])("takes NULs off %j", (padded) => {
    const credentials = { kind: "password", username: "user", password: "word" };
    expect(decoded(authOf("user", padded))).toEqual(credentials);
  });

  test("takes Base64 in lines", () => {
    const auth = authOf("user", secret);
    expect(decoded(`${auth.slice(0, 8)}\r\n${auth.slice(8)}\n`)).toMatchObject({
      password: secret,
    });
  });

  test.each(["", authOf("", ""), authOf("", "\0\0"), Buffer.from("word").toString("base64")])(
    "gives none for %j",
    (auth) => {
      expect(decoded(auth)).toBeUndefined();
    },
  );

  test.each([
    { auth: authOf("user", ""), username: "user" },
    { auth: authOf("user", secret), username: "user" },
    { auth: authOf("", ""), username: "" },
    { auth: "", username: "" },
  ])("gives the identity token beside auth $auth", ({ auth, username }) => {
    const credentials = { kind: "identity-token", username, token: "tok" };
    expect(decoded(auth, "tok")).toEqual(credentials);
  });

  test.each([
    secret,
    "dTpw=",
    "dTp",
    "dT=p",
    "====",
    "dTpw dTpw",
    "_-__",
    Buffer.from([0x75, 0x3a, 0xff]).toString("base64"),
  ])("refuses %j and does not repeat it", (auth) => {
    const error = refusal(() => decoded(auth));
    expect(error).toMatchObject({ code: "CONFIG", hint: expect.stringContaining("--authfile") });
    expect(error.message).toContain("/a.json: auths.r.io");
    expect(everythingIn(error)).not.toContain(auth);
  });
});
