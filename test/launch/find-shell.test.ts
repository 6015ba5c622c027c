import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findShell } from "../../src/launch/find-shell.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const nixStore = "/nix/store/abc-bash/bin";

/** A rootfs with files, by their modes, and links. */
function rootfsWith(files: Record<string, number>, links: Record<string, string> = {}): string {
  const rootfs = scratchDirectory();
  for (const [path, mode] of Object.entries(files)) {
    mkdirSync(dirname(join(rootfs, path)), { recursive: true });
    writeFileSync(join(rootfs, path), "", { mode });
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(rootfs, path)), { recursive: true });
    symlinkSync(target, join(rootfs, path));
  }
  return rootfs;
}

function shellIn(rootfs: string, env: readonly string[] = []): readonly string[] {
  return findShell({ rootfs, config: { env, entrypoint: null, cmd: null, workingDir: null } });
}

describe("findShell", () => {
  test.each<[string, Record<string, number>, Record<string, string>, readonly string[]]>([
    ["bash before sh", { "bin/sh": 0o755, "bin/bash": 0o755 }, {}, ["/bin/bash"]],
    ["sh before busybox", { "bin/sh": 0o755, "bin/busybox": 0o755 }, {}, ["/bin/sh"]],
    ["busybox, by its sh", { "bin/busybox": 0o755 }, {}, ["/bin/busybox", "sh"]],
    ["what can be executed", { "bin/bash": 0o644, "bin/sh": 0o755 }, {}, ["/bin/sh"]],
    ["what is a link of the image", { "usr/bin/sh": 0o755 }, { bin: "/usr/bin" }, ["/bin/sh"]],
    ["no dangling link", { "bin/sh": 0o755 }, { "bin/bash": "/gone" }, ["/bin/sh"]],
    ["no loop of links", { "bin/sh": 0o755 }, { "bin/bash": "bash" }, ["/bin/sh"]],
    ["nothing below a file", { bin: 0o755, "usr/bin/sh": 0o755 }, {}, ["/usr/bin/sh"]],
  ])("takes %s", (_, files, links, shell) => {
    expect(shellIn(rootfsWith(files, links))).toEqual(shell);
  });

  test("finds a shell where the image's PATH leads, as Nix has it", () => {
    const rootfs = rootfsWith({ [`${nixStore}/bash`]: 0o555 });
    expect(shellIn(rootfs, [`PATH=relative:${nixStore}`])).toEqual([`${nixStore}/bash`]);
  });

  test("does not take the host's for the image's", () => {
    const rootfs = rootfsWith({ "etc/passwd": 0o644 }, { "bin/sh": "../../../../../../bin/sh" });
    expect(refusal(() => shellIn(rootfs))).toMatchObject({
      code: "SANDBOX",
      message: "the image has no shell: no bash, sh or busybox",
    });
  });
});
