import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { afterAll } from "vitest";
import { bytesOfText } from "../../src/host/byte-string.js";
import { emptyDirectory } from "../../src/host/remove-tree.js";
import { giveToUser } from "../support/as-user.js";
import { type Canary, plantCanary, watchTree } from "../support/canary.js";
import type { Aim } from "./attack.js";
import { isDisguised, type UserKind, workAs } from "./users.js";

/** The directories of a site that are worked in; the others must stay as they are. */
const trees = ["image", "cache", "layer-0", "layer-1", "layer-2", "layer-3", "rootfs", "held"];

/** Where attacks take place, with canaries all around. */
export interface Site {
  readonly aim: Aim;
  /** The directory that all trees lie in, absolute. */
  readonly inner: string;
  /** All of the site but its trees. */
  readonly canary: Canary;
}

const sites = new Map<UserKind, Site>();

afterAll(() => {
  for (const user of sites.keys()) abandon(user);
});

/**
 * Does `act` as `user` on a site with empty trees, and empties them again. Nothing else there may
 * have changed after that. Attacks share a site, which takes long to make, until one fails.
 */
export async function onSite(user: UserKind, act: (site: Site) => Promise<void>): Promise<void> {
  const site = sites.get(user) ?? makeSite(user);
  sites.set(user, site);
  let isWhole = false;
  try {
    for (const tree of trees) chmodSync(`${site.inner}/${tree}`, 0o755);
    await workAs(user, {
      cwd: site.inner,
      act: async () => {
        await act(site);
        site.canary.check();
        for (const tree of trees) emptyDirectory(`${site.inner}/${tree}`, "");
      },
    });
    site.canary.check();
    isWhole = true;
  } finally {
    if (!isWhole) abandon(user);
  }
}

/**
 * Canaries stand one and two levels above the trees, at what attacks aim at, and beside each tree
 * under a name that begins with the tree's. All of it belongs to the user who works there, so that
 * no permissions protect it.
 */
function makeSite(user: UserKind): Site {
  const root = realpathSync(mkdtempSync(`${tmpdir()}/stage-rootfs-test-`));
  const inner = `${root}/inner`;
  const out = `${root}/outside`;
  for (const place of [root, inner, out]) plantCanary(place);
  for (const tree of trees) {
    mkdirSync(`${inner}/${tree}`);
    mkdirSync(`${inner}/${tree}-beside`);
  }
  chmodSync(root, 0o755);
  const all = readdirSync(root, { recursive: true, encoding: "utf8" });
  if (isDisguised(user)) giveToUser([root, ...all.map((name) => `${root}/${name}`)]);
  return {
    aim: { out: bytesOfText(out), at: bytesOfText(out.slice(1)) },
    inner,
    canary: watchTree(
      root,
      trees.map((tree) => `${inner}/${tree}`),
    ),
  };
}

function abandon(user: UserKind): void {
  const site = sites.get(user);
  sites.delete(user);
  // Not by what is under test: were that to follow links, nothing would hold it here.
  if (site) rmSync(dirname(site.inner), { recursive: true, force: true });
}
