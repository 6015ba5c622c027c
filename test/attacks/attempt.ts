import { readdirSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { assembleRootfs } from "../../src/extract/assemble-rootfs.js";
import type { OwnershipPolicy } from "../../src/extract/policy.js";
import { unpackLayer } from "../../src/extract/unpack-layer.js";
import type { UnpackedLayer } from "../../src/extract/unpacked-layer.js";
import { createMountPoints } from "../../src/mountpoints/create.js";
import type { MountRequest } from "../../src/mountpoints/mount-point.js";
import { parseMountRequest } from "../../src/mountpoints/requests.js";
import { digestOf } from "../../src/oci/digest.js";
import { defaultLimits } from "../../src/oci/limits.js";
import { checkTree } from "../support/check-tree.js";
import { packLayer } from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { leaves, listing } from "../support/tree-contents.js";
import type { Attack, AttackCase, Leaves } from "./attack.js";
import { checkAim } from "./check-aim.js";
import { onSite, type Site } from "./site.js";
import { policies, type UserKind } from "./users.js";

/**
 * Stages the layers of an attack step by step. It must end as the table says, and nothing around the
 * trees may have changed after any of the steps.
 */
export async function attempt([, , attackOn]: AttackCase, user: UserKind): Promise<void> {
  await onSite(user, async (site) => {
    const attack = attackOn(site.aim);
    checkAim(attack, site);
    const staging = new Staging(site, policies[user]).run(attack);
    if (typeof attack.ends === "string") {
      expect(await rejection(staging)).toMatchObject({ code: attack.ends });
    } else {
      expect(await staging).toEqual(attack.ends);
    }
  });
}

/** What a staging does, with a look around after each step. */
class Staging {
  readonly #site: Site;
  readonly #policy: OwnershipPolicy;

  constructor(site: Site, policy: OwnershipPolicy) {
    this.#site = site;
    this.#policy = policy;
  }

  async run({ layers, mounts = [] }: Attack): Promise<Leaves> {
    const unpacked: UnpackedLayer[] = [];
    for (const [i, layer] of layers.entries()) {
      const blob = Buffer.isBuffer(layer) ? layer : packLayer(layer);
      unpacked.push(await this.#unpack(blob, `${this.#site.inner}/layer-${i}`));
    }
    const before = unpacked.map(({ tree }) => listing(tree));
    this.#assemble(unpacked);
    expect(unpacked.map(({ tree }) => listing(tree))).toEqual(before);
    this.#mount(mounts.map(parseMountRequest));
    return leaves(`${this.#site.inner}/rootfs`);
  }

  async #unpack(blob: Buffer, tree: string): Promise<UnpackedLayer> {
    const path = `${this.#site.inner}/image/blob`;
    writeFileSync(path, blob);
    const record = await unpackLayer({
      span: { path, offset: 0, size: blob.length },
      diffId: digestOf(blob),
      digest: null,
      tree,
      policy: this.#policy,
      limits: defaultLimits,
    });
    this.#lookAround(tree);
    return { tree, record };
  }

  #assemble(layers: readonly UnpackedLayer[]): void {
    const { inner } = this.#site;
    const rootfs = `${inner}/rootfs`;
    const scratch = `${inner}/held`;
    assembleRootfs(layers, { rootfs, scratch });
    this.#lookAround(rootfs);
    expect(readdirSync(scratch)).toEqual([]);
  }

  #mount(requests: readonly MountRequest[]): void {
    const rootfs = `${this.#site.inner}/rootfs`;
    createMountPoints(rootfs, { requests, mayReplace: () => true });
    this.#lookAround(rootfs);
  }

  #lookAround(tree: string): void {
    this.#site.canary.check();
    checkTree(tree, this.#policy);
  }
}
