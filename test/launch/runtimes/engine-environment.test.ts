import { describe, expect, test } from "vitest";
import { engineEnvironment } from "../../../src/launch/runtimes/engine-environment.js";

describe("a container's environment", () => {
  test("has its values in the program's environment, and only the names in its options", () => {
    const env = { TOKEN: "s3cret", LINES: "a\nb=c,d", EMPTY: "" };
    expect(engineEnvironment(env, {})).toEqual({
      options: ["--env", "TOKEN", "--env", "LINES", "--env", "EMPTY"],
      passed: env,
    });
  });

  test.each([
    "PATH",
    "HOME",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "GLIBC_TUNABLES",
    "GODEBUG",
    "XDG_RUNTIME_DIR",
    "CONTAINER_HOST",
    "CONTAINERS_CONF",
    "DOCKER_HOST",
    "_CONTAINERS_USERNS_CONFIGURED",
    "LISTEN_FDS",
    "https_proxy",
    "BASH_ENV",
  ])("has %s in the options: the program itself would go by it", (name) => {
    expect(engineEnvironment({ [name]: "of the image" }, {})).toEqual({
      options: ["--env", `${name}=of the image`],
      passed: {},
    });
  });

  test.each(["PATHS", "MY_PATH", "HOMEPAGE", "OLD_PATH", "Path"])("%s is none of these", (name) => {
    expect(engineEnvironment({ [name]: "1" }, {}).passed).toEqual({ [name]: "1" });
  });

  test("does not change what the program itself is to have", () => {
    const found = engineEnvironment({ SOME: "inside" }, { SOME: "outside" });
    expect(found).toEqual({ options: ["--env", "SOME=inside"], passed: {} });
  });

  test("keeps names that are patterns to podman, and names that are special to JavaScript", () => {
    const env = Object.fromEntries([
      ["ALL*", "1"],
      ["__proto__", "2"],
    ]);
    expect(engineEnvironment(env, {}).options).toEqual(["--env", "ALL*=1", "--env", "__proto__=2"]);
  });
});
