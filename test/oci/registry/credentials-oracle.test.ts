import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import { findCredentials } from "../../../src/oci/registry/credentials.js";
import { testNeeding } from "../../e2e/support/programs.js";
import { environmentWith, helperFor, writeHelper } from "../../support/credential-helper.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { authOf, secret } from "../../support/secrets.js";

interface Example {
  /** Where auth files are, below the home directory, and the keys that each has entries for. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly images: readonly string[];
}

const runtime = "run/containers/auth.json";
const config = ".config/containers/auth.json";
const docker = ".docker/config.json";

const examples: readonly Example[] = [
  {
    files: { [runtime]: ["r.io", "r.io/a", "r.io/a/b", "r.io/a/b/c", "r.io/ab"] },
    images: ["r.io/a/b/c", "r.io/a/b", "r.io/a/x", "r.io/abc", "r.io/ab/c", "r.io:5000/a"],
  },
  {
    files: { [runtime]: ["https://r.io/v1/", "http://localhost:5000/v2/", "s.io/v1/"] },
    images: ["r.io/a/b", "localhost:5000/a", "localhost/a", "s.io/a"],
  },
  {
    files: { [docker]: ["https://index.docker.io/v1/", "docker.io/mine"] },
    images: ["docker.io/library/debian", "docker.io/mine/app"],
  },
  { files: { [docker]: ["registry-1.docker.io"] }, images: ["docker.io/library/debian"] },
  { files: { [docker]: ["index.docker.io", "docker.io"] }, images: ["docker.io/library/debian"] },
  {
    files: { [runtime]: ["r.io"], [config]: ["r.io/a", "s.io"], [docker]: ["s.io/a", "t.io"] },
    images: ["r.io/a", "s.io/a", "t.io/a", "u.io/a"],
  },
  {
    files: { [config]: ["r.io"], [docker]: ["r.io", "s.io"], ".dockercfg": ["s.io", "t.io/v1/"] },
    images: ["r.io/a", "s.io/a", "t.io/a"],
  },
  {
    files: { "cfg/containers/auth.json": ["r.io"], [config]: ["r.io", "s.io"] },
    env: { XDG_CONFIG_HOME: "cfg" },
    images: ["r.io/a", "s.io/a"],
  },
  {
    files: { "d/config.json": ["r.io"], [runtime]: ["r.io"], [docker]: ["s.io"] },
    env: { DOCKER_CONFIG: "d" },
    images: ["r.io/a", "s.io/a"],
  },
  {
    files: { "named.json": ["r.io"], [runtime]: ["r.io", "s.io"] },
    env: { REGISTRY_AUTH_FILE: "named.json", DOCKER_CONFIG: "d" },
    images: ["r.io/a", "s.io/a"],
  },
];

/** Makes the files, in which the user of each entry is called as its file and key. */
function prepare({ files, env = {} }: Example): Record<string, string> {
  const home = scratchDirectory();
  for (const [name, keys] of Object.entries(files)) {
    const entries = keys.map((key) => [key, { auth: authOf(`${name} ${key}`, secret) }]);
    const auths = Object.fromEntries(entries);
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), JSON.stringify(name === ".dockercfg" ? auths : { auths }));
  }
  const paths = Object.entries(env).map(([name, path]) => [name, join(home, path)]);
  const places = { HOME: home, XDG_RUNTIME_DIR: join(home, "run") };
  return { ...environmentWith(join(home, "bin")), ...places, ...Object.fromEntries(paths) };
}

async function ourUser(image: string, env: Record<string, string>): Promise<string> {
  const [registry = "", ...parts] = image.split("/");
  const subject = { registry, repository: parts.join("/") };
  const found = await findCredentials(subject, { authFile: undefined, env });
  return found?.username ?? "nobody";
}

function skopeosUser(image: string, env: Record<string, string>): string {
  try {
    const options = { env, encoding: "utf8", stdio: "pipe" } as const;
    return execFileSync("skopeo", ["login", "--get-login", image], options).trim();
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    if (said.includes("not logged into")) return "nobody";
    throw error;
  }
}

describe("skopeo finds the same credentials", () => {
  const test = testNeeding(["skopeo"]);

  test.for(examples)("with $files and $env", async (example) => {
    const env = prepare(example);
    for (const image of example.images) {
      const user = await ourUser(image, env);
      expect(`${image}: ${user}`).toBe(`${image}: ${skopeosUser(image, env)}`);
    }
  });

  test("with a helper", async () => {
    const env = prepare({ files: {}, images: [] });
    const bin = join(env["HOME"] ?? "", "bin");
    const script = helperFor({ server: "r.io", username: "helper", secret });
    writeHelper(bin, { name: "test", script });
    const credHelpers = { "r.io": "test", "s.io": "test" };
    const auths = { "r.io/a": { auth: authOf("file", secret) } };
    mkdirSync(join(env["HOME"] ?? "", ".docker"));
    const path = join(env["HOME"] ?? "", docker);
    writeFileSync(path, JSON.stringify({ auths, credHelpers }));
    expect(await ourUser("r.io/a", env)).toBe("helper");
    for (const image of ["r.io/a", "s.io/a"]) {
      expect(await ourUser(image, env)).toBe(skopeosUser(image, env));
    }
  });
});
