import { userInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { authFilesInOrder, homeDirectory } from "../../../src/oci/registry/auth-file-paths.js";

const isRoot = process.geteuid?.() === 0;

describe("authFilesInOrder", () => {
  function pathsFor(inputs: Partial<Parameters<typeof authFilesInOrder>[0]>) {
    const files = authFilesInOrder({
      authFile: undefined,
      env: {},
      uid: 1000,
      home: undefined,
      ...inputs,
    });
    return files.map(({ path }) => path);
  }

  const defaults = [
    "/run/user/1000/containers/auth.json",
    "/home/u/.config/containers/auth.json",
    "/home/u/.docker/config.json",
    "/home/u/.dockercfg",
  ];
  const runtime = { XDG_RUNTIME_DIR: "/run/user/1000" };

  test.each([
    { what: "the defaults", env: runtime, home: "/home/u", paths: defaults },
    {
      what: "those of a user without a session",
      env: { XDG_RUNTIME_DIR: "" },
      home: "/home/u",
      paths: ["/run/containers/1000/auth.json", ...defaults.slice(1)],
    },
    {
      what: "those of a user without a home",
      env: {},
      home: undefined,
      paths: ["/run/containers/1000/auth.json"],
    },
    {
      what: "those in $XDG_CONFIG_HOME",
      env: { ...runtime, XDG_CONFIG_HOME: "/cfg" },
      home: "/home/u",
      paths: [defaults[0], "/cfg/containers/auth.json", defaults[2], defaults[3]],
    },
    {
      what: "that in $XDG_CONFIG_HOME of a user without a home",
      env: { ...runtime, XDG_CONFIG_HOME: "/cfg" },
      home: undefined,
      paths: [defaults[0], "/cfg/containers/auth.json"],
    },
    {
      what: "Docker's where $DOCKER_CONFIG says, and first",
      env: { ...runtime, DOCKER_CONFIG: "/docker" },
      home: "/home/u",
      paths: ["/docker/config.json", defaults[0], defaults[1], defaults[3]],
    },
    {
      what: "the defaults, where variables are empty",
      env: { ...runtime, REGISTRY_AUTH_FILE: "", DOCKER_CONFIG: "", XDG_CONFIG_HOME: "" },
      home: "/home/u",
      paths: defaults,
    },
  ])("gives $what", ({ env, home, paths }) => {
    expect(pathsFor({ env, home })).toEqual(paths);
  });

  test.each([
    { authFile: "/a.json", env: { REGISTRY_AUTH_FILE: "/b.json" }, path: "/a.json" },
    { authFile: "a.json", env: {}, path: "a.json" },
    { authFile: undefined, env: { REGISTRY_AUTH_FILE: "/b.json" }, path: "/b.json" },
    { authFile: "", env: { REGISTRY_AUTH_FILE: "/b.json" }, path: "/b.json" },
  ])("gives but one file that is named: $authFile, $env", ({ authFile, env, path }) => {
    const inputs = { authFile, env: { ...runtime, DOCKER_CONFIG: "/docker", ...env } };
    expect(pathsFor({ ...inputs, home: "/home/u" })).toEqual([path]);
  });

  test("says who named a file, and which one has the old form", () => {
    const home = "/home/u";
    const inputs = { authFile: undefined, env: {}, uid: 1, home };
    expect(authFilesInOrder({ ...inputs, authFile: "/a" })[0]?.namedBy).toBe("--authfile");
    expect(authFilesInOrder({ ...inputs, env: { REGISTRY_AUTH_FILE: "/b" } })[0]?.namedBy).toBe(
      "$REGISTRY_AUTH_FILE",
    );
    const files = authFilesInOrder(inputs);
    expect(files.filter(({ namedBy }) => namedBy !== undefined)).toEqual([]);
    expect(files.filter(({ isLegacy }) => isLegacy).map(({ path }) => path)).toEqual([
      "/home/u/.dockercfg",
    ]);
  });
});

describe("homeDirectory", () => {
  test("is $HOME", () => {
    expect(homeDirectory({ HOME: "/elsewhere" })).toBe("/elsewhere");
  });

  test.each([{}, { HOME: "" }])("is the one on record, where the environment is %j", (env) => {
    expect(homeDirectory(env)).toBe(userInfo().homedir);
  });

  test.runIf(isRoot)("is none for a user whom the system does not know", () => {
    process.seteuid?.(54_321);
    try {
      expect(homeDirectory({})).toBeUndefined();
    } finally {
      process.seteuid?.(0);
    }
  });
});
