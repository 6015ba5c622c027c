import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCredentials } from "../../../src/oci/registry/credentials.js";
import { environmentWith, helperFor, writeHelper } from "../../support/credential-helper.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { authOf, everythingIn, secret } from "../../support/secrets.js";

const subject = { registry: "r.io", repository: "ns/app" };

/** A home directory with these files in it, and an environment in which nothing else is found. */
function home(files: Readonly<Record<string, unknown>>) {
  const directory = scratchDirectory();
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  const env: Record<string, string> = {
    ...environmentWith(join(directory, "bin")),
    HOME: directory,
    XDG_RUNTIME_DIR: join(directory, "run"),
  };
  return { directory, env };
}

/** An auth file with one entry, whose user is called `username`. */
function loggedIn(username: string, key = "r.io") {
  return { auths: { [key]: { auth: authOf(username, secret) } } };
}

async function userFound(
  files: Readonly<Record<string, unknown>>,
  { env = {}, authFile }: { env?: Record<string, string>; authFile?: string } = {},
) {
  const place = home(files);
  const found = await findCredentials(subject, {
    authFile: authFile && join(place.directory, authFile),
    env: { ...place.env, ...env },
  });
  return found?.username;
}

describe("the files", () => {
  test("none: anonymous", async () => {
    expect(await userFound({})).toBeUndefined();
  });

  const inOrder = [
    "run/containers/auth.json",
    ".config/containers/auth.json",
    ".docker/config.json",
  ];
  test.each(inOrder.map((_, first) => inOrder.slice(first)))(
    "of %s and on, it decides",
    async (...names) => {
      const files = Object.fromEntries(names.map((name) => [name, loggedIn(name)]));
      const legacy = { ".dockercfg": loggedIn("old").auths };
      expect(await userFound({ ...files, ...legacy })).toBe(names[0]);
    },
  );

  test(".dockercfg comes last", async () => {
    const legacy = { "https://r.io/v1/": { auth: authOf("old", secret) } };
    expect(await userFound({ ".dockercfg": legacy })).toBe("old");
  });

  test("the first one that has some decides, not the first that has a key", async () => {
    const files = {
      "run/containers/auth.json": { auths: { "r.io": {} } },
      ".config/containers/auth.json": loggedIn("other", "other.io"),
      ".docker/config.json": loggedIn("mine"),
    };
    expect(await userFound(files)).toBe("mine");
  });

  test("a more specific key in a later file does not count", async () => {
    const files = {
      "run/containers/auth.json": loggedIn("first"),
      ".docker/config.json": loggedIn("specific", "r.io/ns/app"),
    };
    expect(await userFound(files)).toBe("first");
  });

  test("one that is named is the only one read", async () => {
    const files = {
      "named.json": loggedIn("other", "other.io"),
      "run/containers/auth.json": loggedIn("default"),
    };
    expect(await userFound(files)).toBe("default");
    expect(await userFound(files, { authFile: "named.json" })).toBeUndefined();
  });

  test("a broken one is no reason to go on to the next", async () => {
    const files = { "run/containers/auth.json": secret, ".docker/config.json": loggedIn("mine") };
    const error = await rejection(userFound(files));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain("run/containers/auth.json");
    expect(everythingIn(error)).not.toContain(secret);
  });

  test("one with a broken entry is named with the entry", async () => {
    const files = { ".docker/config.json": { auths: { "r.io": { auth: secret } } } };
    const error = await rejection(userFound(files));
    expect(error.message).toContain(".docker/config.json: auths.r.io: auth is not");
    expect(everythingIn(error)).not.toContain(secret);
  });
});

describe("helpers", () => {
  /**
   * Looks for credentials with helpers on `PATH`, by name, that have some for one server each; the
   * user is called as the helper.
   * @returns who was found, and which helpers were asked for which server
   */
  async function lookUp(options: {
    config: unknown;
    servers: Readonly<Record<string, string>>;
    registry?: string;
    later?: unknown;
  }) {
    const files = { "run/containers/auth.json": options.config };
    const { directory, env } = home(
      options.later ? { ...files, ".docker/config.json": options.later } : files,
    );
    const log = join(directory, "asked");
    writeFileSync(log, "");
    for (const [name, server] of Object.entries(options.servers)) {
      const answer = helperFor({ server, username: name, secret });
      const script = `asked=$(cat); echo ${name} $asked >> ${log}\nprintf %s "$asked" | {\n${answer}\n}`;
      writeHelper(join(directory, "bin"), { name, script });
    }
    const registry = options.registry ?? "r.io";
    const found = await findCredentials({ ...subject, registry }, { authFile: undefined, env });
    const asked = readFileSync(log, "utf8").split("\n").slice(0, -1);
    return { user: found?.username, asked };
  }

  test("one for the registry goes before what the file has, however specific", async () => {
    const config = { ...loggedIn("file", "r.io/ns/app"), credHelpers: { "r.io": "one" } };
    const found = await lookUp({ config, servers: { one: "r.io" } });
    expect(found).toEqual({ user: "one", asked: ["one r.io"] });
  });

  test("one for the registry that has none leaves it to the next file", async () => {
    const config = { ...loggedIn("file"), credHelpers: { "r.io": "one" }, credsStore: "store" };
    const servers = { one: "elsewhere", store: "r.io" };
    const found = await lookUp({ config, servers, later: loggedIn("later") });
    expect(found).toEqual({ user: "later", asked: ["one r.io"] });
  });

  test("one for another registry, or for a namespace, is not asked", async () => {
    const config = { ...loggedIn("file"), credHelpers: { "other.io": "one", "r.io/ns": "one" } };
    const found = await lookUp({ config, servers: { one: "r.io" } });
    expect(found).toEqual({ user: "file", asked: [] });
  });

  test("the store is asked for what the file does not have", async () => {
    const config = { auths: { "r.io": {} }, credsStore: "store" };
    const found = await lookUp({ config, servers: { store: "r.io" } });
    expect(found).toEqual({ user: "store", asked: ["store r.io"] });
  });

  test("the store is not asked for what the file has", async () => {
    const config = { ...loggedIn("file"), credsStore: "store" };
    const found = await lookUp({ config, servers: { store: "r.io" } });
    expect(found).toEqual({ user: "file", asked: [] });
  });

  test("the store is not asked for a registry whose helper is empty", async () => {
    const config = { credHelpers: { "r.io": "" }, credsStore: "store" };
    const found = await lookUp({ config, servers: { store: "r.io" } });
    expect(found).toEqual({ user: undefined, asked: [] });
  });

  test("a store that has none leaves it to the next file", async () => {
    const config = { credsStore: "store" };
    const later = loggedIn("later");
    const found = await lookUp({ config, servers: { store: "elsewhere" }, later });
    expect(found).toEqual({ user: "later", asked: ["store r.io"] });
  });

  const hub = "https://index.docker.io/v1/";
  test.each([
    { config: { credsStore: "one" }, server: hub },
    { config: { credHelpers: { [hub]: "one" } }, server: hub },
    { config: { credHelpers: { "docker.io": "one" } }, server: "docker.io" },
    { config: { credHelpers: { "index.docker.io": "one" } }, server: "index.docker.io" },
  ])("are asked for Docker Hub by the name it is kept under: $config", async (example) => {
    const { config, server } = example;
    const found = await lookUp({ config, servers: { one: server }, registry: "docker.io" });
    expect(found).toEqual({ user: "one", asked: [`one ${server}`] });
  });

  test.each([{ credHelpers: { "r.io": "absent" } }, { credsStore: "absent" }])(
    "that are not there are named, with the file that asks for them: %j",
    async (config) => {
      const error = await rejection(lookUp({ config, servers: {}, later: loggedIn("later") }));
      expect(error.code).toBe("CONFIG");
      expect(error.message).toMatch(
        /^docker-credential-absent \(asked for by .*run\/containers\/auth\.json\) is not in PATH$/,
      );
    },
  );
});
