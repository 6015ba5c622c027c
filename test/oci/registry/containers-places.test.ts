import { expect, it } from "vitest";
import { containersPlaces } from "../../../src/oci/registry/containers-places.js";

const isRoot = process.geteuid?.() === 0;

it.each([
  {
    from: "the home directory",
    environment: { HOME: "/home/me" },
    user: "/home/me/.config/containers",
    cache: "/home/me/.cache/containers",
  },
  {
    from: "XDG's variables",
    environment: { HOME: "/home/me", XDG_CONFIG_HOME: "/conf", XDG_CACHE_HOME: "/cache" },
    user: "/conf/containers",
    cache: "/cache/containers",
  },
  {
    from: "the home directory where XDG's variables are empty",
    environment: { HOME: "/home/me", XDG_CONFIG_HOME: "", XDG_CACHE_HOME: "" },
    user: "/home/me/.config/containers",
    cache: "/home/me/.cache/containers",
  },
])("finds places by $from", ({ environment, user, cache }) => {
  expect(containersPlaces(environment)).toEqual({
    user,
    system: "/etc/containers",
    docker: "/etc/docker",
    cache: isRoot ? "/var/cache/containers" : cache,
  });
});
