import { describe, expect, test, vi } from "vitest";
import { attemptImage } from "./attempt-image.js";
import { dockerArchiveAttacks } from "./docker-archives.js";
import { ociLayoutAttacks } from "./oci-layouts.js";
import { requireUser, userKinds } from "./users.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

const themes = { "docker-archives": dockerArchiveAttacks, "OCI layouts": ociLayoutAttacks };

describe.each(userKinds)("nothing outside is touched or told when %s stages", (user) => {
  describe.each(Object.entries(themes))("%s", (_, attacks) => {
    test.for(attacks)("%s (%s)", async (attack, context) => {
      requireUser(user, context);
      await attemptImage(attack, user);
      expect(Object.keys(Object.prototype)).toEqual([]);
    });
  });
});
