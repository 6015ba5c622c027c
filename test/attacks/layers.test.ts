import { describe, test } from "vitest";
import { attempt } from "./attempt.js";
import { hardLinkAttacks } from "./hard-links.js";
import { headerAttacks } from "./headers.js";
import { linkAttacks } from "./links.js";
import { metadataAttacks } from "./metadata.js";
import { mountPointAttacks } from "./mount-points.js";
import { nameAttacks } from "./names.js";
import { replacedParentAttacks } from "./replaced-parents.js";
import { requireUser, userKinds } from "./users.js";
import { whiteoutAttacks } from "./whiteouts.js";

const themes = {
  names: nameAttacks,
  "links on the way": linkAttacks,
  "hard links": hardLinkAttacks,
  whiteouts: whiteoutAttacks,
  "what takes the place of what": replacedParentAttacks,
  "archives with two meanings": headerAttacks,
  "modes, owners, times and devices": metadataAttacks,
  "mount points": mountPointAttacks,
};

describe.each(userKinds)("nothing outside is touched when %s stages", (user) => {
  describe.each(Object.entries(themes))("%s", (_, attacks) => {
    test.for(attacks)("%s (%s)", async (attack, context) => {
      requireUser(user, context);
      await attempt(attack, user);
    });
  });
});
