import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { standardMountRequests } from "../../src/mountpoints/requests.js";
import type { StageResult } from "../../src/stage/result.js";
import { stageRootfs } from "../../src/stage.js";
import { isSpareLock } from "../support/cache.js";
import { checkTree } from "../support/check-tree.js";
import { type FileSet, packFiles, writeFiles } from "../support/file-set.js";
import { rejection } from "../support/refusal.js";
import { leaves } from "../support/tree-contents.js";
import type { Leaves } from "./attack.js";
import { type ImageAttackCase, type ImageForm, imageForms } from "./image-attack.js";
import { onSite } from "./site.js";
import { policies, type UserKind } from "./users.js";

/**
 * Stages the image of an attack in each of its forms, into a cache of its own. It must end as the
 * table says, and nothing around the cache may have changed, or have been told.
 */
export async function attemptImage([, , attackOn]: ImageAttackCase, user: UserKind): Promise<void> {
  for (const form of imageForms) {
    await onSite(user, async ({ aim, inner }) => {
      const { files, forms = imageForms, directory = "", choice = "", ends } = attackOn(aim);
      if (!forms.includes(form)) return;
      const path = await place(files, { form, directory: `${inner}/image` });
      const cacheDir = `${inner}/cache/own`;
      const staging = stageRootfs(path + directory + choice, { cacheDir });
      if (typeof ends === "string") {
        const report = (await rejection(staging)).toReport();
        expect({ form, ...report }).toMatchObject({ form, code: ends });
        expect(JSON.stringify(report)).not.toContain("secret");
      } else {
        const result = await staging;
        checkTree(result.rootfs, policies[user]);
        expect({ form, rootfs: ownLeaves(result) }).toEqual({ form, rootfs: ends.rootfs });
        expect(result.config).toMatchObject(ends.config ?? {});
      }
      expect(under(cacheDir, ["tmp", "locks"]).filter((name) => !isSpareLock(name))).toEqual([]);
    });
  }
}

async function place(
  files: FileSet,
  { form, directory }: { form: ImageForm; directory: string },
): Promise<string> {
  if (form === "directory") return writeFiles(directory, files);
  const archive = await packFiles(files);
  const path = `${directory}/image.tar`;
  writeFileSync(path, form === "archive" ? archive : gzipSync(archive));
  return path;
}

/** What the rootfs holds that is no mount point of every image. */
function ownLeaves({ rootfs }: StageResult): Leaves {
  const standard = standardMountRequests({ workingDir: null, nixStore: false });
  const paths = new Set(standard.map(({ target }) => target.slice(1)));
  return Object.fromEntries(Object.entries(leaves(rootfs)).filter(([path]) => !paths.has(path)));
}

function under(cacheDir: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => readdirIfAny(`${cacheDir}/v1/${name}`));
}

function readdirIfAny(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
