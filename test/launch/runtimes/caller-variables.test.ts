import { expect, test } from "vitest";
import { callerVariables } from "../../../src/launch/runtimes/caller-variables.js";

const environment = {
  PATH: "/bin",
  HOME: "/home/u",
  XDG_RUNTIME_DIR: "/",
  CONTAINERS_CONF: "/etc/c.conf",
  DOCKER_HOST: "unix:///run/d.sock",
  SECRET: "of the caller",
};

test.each([
  ["bwrap", []],
  ["apptainer", []],
  ["podman", ["PATH", "HOME", "XDG_RUNTIME_DIR", "CONTAINERS_CONF"]],
  ["docker", ["PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST"]],
  ["native", ["PATH"]],
] as const)("%s is told %j of its caller's", (name, names) => {
  expect(Object.keys(callerVariables(name, environment))).toEqual(names);
});

test.each(["/no/such/directory", "/etc/passwd", "/etc/passwd/below"])(
  "a runtime directory that is none here, %s, is not handed on",
  (place) => {
    expect(callerVariables("podman", { HOME: "/h", XDG_RUNTIME_DIR: place })).toEqual({
      HOME: "/h",
    });
  },
);
