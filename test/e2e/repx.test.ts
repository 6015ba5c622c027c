import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import {
  type RunOptions,
  type RunResult,
  runArgv,
  stageRootfs,
  stageRootfsArgv,
} from "./support/cli.js";
import { debianImage } from "./support/debian-image.js";
import { onHostWithNix } from "./support/host-with-nix.js";
import { type NixImage, nixImage, nixImageNeeds } from "./support/nix-image.js";
import { makeScratchDir, scratchRoot } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { addTarball, addUnpackedImage, renameLayersAsDocker } from "./support/repx-lab.js";
import { settingsFile } from "./support/settings-file.js";
import { leftovers, stage } from "./support/staged.js";
import { userFor } from "./support/users.js";

const repxTest = testNeeding([...nixImageNeeds, "bwrap", "setpriv", "tar"]);

/** An empty directory for a Lab, readable by everybody. */
function emptyLab(): string {
  const lab = makeScratchDir("lab", { mode: 0o755 });
  onTestFinished(() => rmSync(lab, { recursive: true, force: true }));
  return lab;
}

/** A Lab with one unpacked image, `tools`. */
async function labWithTools(): Promise<{ lab: string; image: NixImage }> {
  const lab = emptyLab();
  await addUnpackedImage(lab, "tools");
  return { lab, image: await nixImage() };
}

/** Runs a script in a Lab's image, as the ordinary user. */
async function runInLab(
  script: string,
  { options = [], ...how }: RunOptions & { readonly options?: readonly string[] } = {},
): Promise<RunResult> {
  const { lab, image } = await labWithTools();
  const cache = ["--cache-dir", freshCacheDir("ordinary")];
  const words = [
    "--lab",
    lab,
    ...options,
    "tools",
    "--",
    `${image.shellPath}/bin/sh`,
    "-c",
    script,
  ];
  return await stageRootfs(["run", "-q", ...cache, ...words], how);
}

/** A directory of the ordinary user's. */
function ownDirectory(): string {
  return freshCacheDir("ordinary");
}

describe("an image of a Lab", () => {
  repxTest(
    "is named by repx:LAB#NAME, by --lab, or not at all where it is the only one",
    async () => {
      const { lab, image } = await labWithTools();
      const cacheDir = freshCacheDir("ordinary");
      for (const words of [
        [`repx:${lab}#tools`],
        ["--lab", lab, "tools"],
        [`repx:${lab}`],
        [lab],
      ]) {
        const { imageId } = await stage(["--cache-dir", cacheDir, ...words]);
        expect(imageId).toBe(image.imageId);
      }
      const inspected = await stageRootfs([
        "inspect",
        "--cache-dir",
        cacheDir,
        "--lab",
        lab,
        "tools",
      ]);
      expect(JSON.parse(inspected.stdout)).toMatchObject({ imageId: image.imageId });
      const removed = await stageRootfs([
        "rm",
        "--force",
        "--cache-dir",
        cacheDir,
        "--lab",
        lab,
        "tools",
      ]);
      expect(removed).toMatchObject({ stdout: expect.stringContaining("sha256"), exitCode: 0 });
    },
  );

  repxTest.for(["images/t", "image/t.gz", "artifacts/images/t.tar", "artifacts/image/t.tar.gz"])(
    "is found at %s, and a hit the second time",
    async (path) => {
      const lab = emptyLab();
      await addTarball(lab, path);
      const cacheDir = freshCacheDir("ordinary");
      const args = ["--cache-dir", cacheDir, "--lab", lab, "t"];
      const first = await stage(args);
      expect(await stage(args)).toMatchObject({ rootfs: first.rootfs, hit: true });
    },
  );

  repxTest(
    "that is not there is an error that names all that was tried, and what is there",
    async () => {
      const { lab } = await labWithTools();
      const run = await stageRootfs(["--cache-dir", ownDirectory(), `repx:${lab}#nosuch`]);
      expect(run).toMatchObject({ stdout: "", exitCode: 66 });
      for (const path of [
        "images/nosuch,",
        "image/nosuch.tar.gz,",
        "artifacts/image/nosuch.tar.gz ",
      ]) {
        expect(run.stderr).toContain(join(lab, path));
      }
      expect(run.stderr).toContain("it has tools");
    },
  );

  repxTest("that is one of several has to be named", async () => {
    const { lab } = await labWithTools();
    await addTarball(lab, "image/other.tar");
    const run = await stageRootfs(["--cache-dir", ownDirectory(), `repx:${lab}`]);
    expect(run).toMatchObject({ stdout: "", exitCode: 66 });
    expect(run.stderr).toContain("other, tools");
  });

  repxTest("may lead into the Lab's store, and never out of the Lab", async () => {
    const { lab } = await labWithTools();
    const outside = join(emptyLab(), "outside.tar");
    writeFileSync(outside, "");
    symlinkSync(outside, join(lab, "images", "away"));
    const run = await stageRootfs(["--cache-dir", ownDirectory(), `repx:${lab}#away`]);
    expect(run).toMatchObject({ stdout: "", exitCode: 65 });
    expect(run.stderr).toContain("leads out of the Lab");
  });
});

describe("Isolation Properties", () => {
  repxTest("Root filesystem: read-only", async () => {
    const run = await runInLab("echo x >/x; echo x >/nix/x; echo x >/etc/passwd");
    expect(run.stderr.match(/Read-only file system/g)).toHaveLength(3);
  });

  repxTest("Nix store: the image's own is read-only at /nix/store", async () => {
    const run = await runInLab("ls /nix/store; echo x >/nix/store/x");
    expect(run.stdout).toContain("busybox-static");
    expect(run.stderr).toContain("Read-only file system");
  });

  repxTest("Nix store: the host's is mounted read-only at /nix/store, when asked for", async () => {
    const { lab, image } = await labWithTools();
    const store = makeScratchDir("store", { mode: 0o777 });
    onTestFinished(() => rmSync(store, { recursive: true, force: true }));
    writeFileSync(join(store, "of-the-host"), "");
    const { busybox } = await debianImage();
    copyFileSync(busybox, join(store, "sh"));
    const cache = ["--cache-dir", ownDirectory()];
    const script = "echo /nix/store/*; echo x >/nix/store/x";
    const words = ["-q", ...cache, "--nix-store", "--chdir", "/", "--lab", lab, "tools", "--"];
    const argv = stageRootfsArgv(["run", ...words, "/nix/store/sh", "-c", script]);
    const run = await runArgv(onHostWithNix(store, argv), { as: "root" });
    expect(run.stdout).toContain("/nix/store/of-the-host");
    expect(run.stderr).toContain("Read-only file system");
    // A command of the image's own store is not there any more, which is said.
    const missing = stageRootfsArgv(["run", ...words, `${image.shellPath}/bin/sh`]);
    const refused = await runArgv(onHostWithNix(store, missing), { as: "root" });
    expect(refused).toMatchObject({ stdout: "", exitCode: 127 });
  });

  repxTest("Output directory: mounted read-write at $out, where the command starts", async () => {
    const output = ownDirectory();
    const run = await runInLab('echo result >"$out/file"; pwd', { options: ["--output", output] });
    expect(run).toMatchObject({ stdout: `${output}\n`, exitCode: 0 });
    expect(readFileSync(join(output, "file"), "utf8")).toBe("result\n");
  });

  repxTest("Input artifacts: bind-mounted, read-only", async () => {
    const input = ownDirectory();
    writeFileSync(join(input, "upstream"), "of the job before\n");
    const script = `cat ${input}/upstream /in/upstream; echo x >${input}/y`;
    const run = await runInLab(script, {
      options: ["--input", input, "--input", `${input}:/in`],
    });
    expect(run.stdout).toBe("of the job before\n".repeat(2));
    expect(run.stderr).toContain("Read-only file system");
    expect(existsSync(join(input, "y"))).toBe(false);
  });

  repxTest("Network: disabled by default", async () => {
    const run = await runInLab("while read line; do echo $line; done </proc/net/dev");
    expect(run.stdout.match(/^\w+:/gm)).toEqual(["lo:"]);
  });
});

describe("Rootfs Extraction", () => {
  repxTest("1. the image tarball is located in the Lab's image/ directory", async () => {
    const lab = emptyLab();
    await addTarball(lab, "image/tools.tar.gz");
    const { imageId } = await nixImage();
    const staged = await stage(["--cache-dir", ownDirectory(), "--lab", lab, "tools"]);
    expect(staged.imageId).toBe(imageId);
  });

  repxTest(
    "2. extraction occurs to node_local_path if configured, otherwise base_path",
    async () => {
      const { lab } = await labWithTools();
      const [node, base] = [ownDirectory(), ownDirectory()];
      const { uid } = userFor("ordinary");
      const both = `[targets.c]\nnode_local_path = "${node}"\nbase_path = "${base}"\n`;
      const one = `[targets.c]\nbase_path = "${base}"\n`;
      for (const [toml, place] of [
        [both, node],
        [one, base],
      ] as const) {
        const config = settingsFile("config.toml", toml);
        const { rootfs } = await stage(["--config", config, "--lab", lab, "tools"]);
        expect(rootfs).toMatch(new RegExp(`^${join(place, `stage-rootfs-${uid}`)}/`));
      }
    },
  );

  repxTest("3. the rootfs is cached by the image's hash, whatever its name and form", async () => {
    const { lab, image } = await labWithTools();
    await addTarball(lab, "image/other-name.tar.gz");
    const cache = ["--cache-dir", ownDirectory()];
    const first = await stage([...cache, `repx:${lab}#tools`]);
    const again = await stage([...cache, `repx:${lab}#other-name`]);
    expect(again).toMatchObject({ rootfs: first.rootfs, hit: true });
    expect(first.key).toContain(image.imageId.slice("sha256:".length));
    // Another image under the same name is another entry.
    const { forms } = await debianImage();
    const second = emptyLab();
    mkdirSync(join(second, "image"));
    symlinkSync(forms.dockerArchive, join(second, "tools.tar"));
    const other = await stage([...cache, forms.dockerArchive]);
    expect(other.rootfs).not.toBe(first.rootfs);
  });
});

describe("Mount Configuration", () => {
  repxTest("/tmp is a tmpfs, $out a bind, and job inputs are ro-binds", async () => {
    const { lab, image } = await labWithTools();
    const [output, input] = [ownDirectory(), ownDirectory()];
    const { stdout } = await stageRootfs([
      ...["command", "--json", "--bwrap", "--cache-dir", ownDirectory(), "--lab", lab],
      ...["--output", output, "--input", input, "tools", "--", `${image.shellPath}/bin/env`],
    ]);
    const { argv, env } = JSON.parse(stdout);
    const words = ` ${argv.join(" ")} `;
    expect(words).toContain(" --tmpfs /tmp ");
    expect(words).toContain(` --bind ${output} ${output} `);
    expect(words).toContain(` --ro-bind ${input} ${input} `);
    expect(words + JSON.stringify(env)).toContain(output);
  });
});

describe("Impure Mode", () => {
  repxTest("mount_host_paths = true: the host's directories that the image lacks", async () => {
    const { lab, image } = await labWithTools();
    const config = settingsFile("config.toml", "[targets.local]\nmount_host_paths = true\n");
    const words = ["--config", config, "--cache-dir", ownDirectory(), "--lab", lab, "tools"];
    const script = "ls /nix/store; echo /sys/* /tmp/*; cat /etc/passwd";
    const run = await stageRootfs(["run", ...words, "--", "/usr/bin/env", "sh", "-c", script]);
    // The host's env ran; Nix's store, /etc, /sys and /tmp are as without.
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toContain(image.shellPath.replace("/nix/store/", ""));
    expect(run.stdout).toContain("/sys/* /tmp/*\n");
    expect(run.stderr).toContain(`warning: ${config} has the sandbox see and change the host's `);
    const pure = await stageRootfs(["run", ...words.slice(2), "--", "/usr/bin/env"]);
    expect(pure.exitCode).toBe(127);
  });

  repxTest("mount_host_paths leaves alone what the image has itself", async () => {
    const { forms } = await debianImage();
    const config = settingsFile("config.toml", "[targets.local]\nmount_host_paths = true\n");
    const words = ["--config", config, "--cache-dir", ownDirectory(), forms.dockerArchive];
    const script = "ls -d /opt/site";
    const run = await stageRootfs(["run", ...words, "--", "/bin/sh", "-c", script]);
    expect(run).toMatchObject({ stdout: "/opt/site\n", exitCode: 0 });
    const [, shown = ""] = /the host's ([^:]*):/.exec(run.stderr) ?? [];
    expect(shown.split(", ")).toContain("/home");
    for (const own of ["/usr", "/etc", "/opt", "/bin", "/proc", "/dev", "/tmp", "/run"]) {
      expect(shown.split(", ")).not.toContain(own);
    }
  });

  repxTest("mount_paths: the listed ones, read-write at the same paths", async () => {
    const data = ownDirectory();
    writeFileSync(join(data, "file"), "of the host\n");
    const config = settingsFile("config.toml", `[targets.local]\nmount_paths = ["${data}"]\n`);
    const run = await runInLab(`cat ${data}/file; echo written >${data}/new`, {
      options: ["--config", config],
    });
    expect(run).toMatchObject({ stdout: "of the host\n", stderr: "", exitCode: 0 });
    expect(readFileSync(join(data, "new"), "utf8")).toBe("written\n");
  });

  repxTest("a listed path that is missing is an error of the configuration", async () => {
    const config = settingsFile(
      "config.toml",
      '[targets.local]\nmount_paths = ["/nowhere/data"]\n',
    );
    const run = await runInLab("true", { options: ["--config", config] });
    expect(run).toMatchObject({ stdout: "", exitCode: 78 });
    expect(run.stderr).toContain(`mount_paths of ${config}: cannot mount /nowhere/data`);
  });

  /** A directory of the ordinary user's at a place that mount_host_paths shows. */
  function shownDirectory(): string {
    const directory = mkdtempSync(join(scratchRoot(), "stage-rootfs-test-shown-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { uid, gid } = userFor("ordinary");
    chownSync(directory, uid, gid);
    chmodSync(directory, 0o700);
    return directory;
  }

  repxTest.for([
    ["mount_host_paths", () => "mount_host_paths = true"],
    ["mount_paths", (place: string) => `mount_paths = ["${place}"]`],
    ["mount_paths by a link", (_place: string, link: string) => `mount_paths = ["${link}"]`],
  ] as const)("the cache stays read-only with %s", async ([, key]) => {
    const { lab, image } = await labWithTools();
    const place = shownDirectory();
    const cacheDir = join(place, "cache");
    const links = shownDirectory();
    const link = join(links, "link");
    symlinkSync(place, link);
    const config = settingsFile("config.toml", `[targets.local]\n${key(place, link)}\n`);
    const seen = key(place, link).includes(link) ? link : place;
    const script = [
      `echo x >${seen}/beside && echo beside is written`,
      `for d in ${seen}/cache/. ${seen}/cache/v1 ${seen}/cache/v1/rootfs/*/rootfs; do`,
      "  echo x >$d/x; done",
    ].join("\n");
    const words = ["-q", "--config", config, "--cache-dir", cacheDir, "--lab", lab, "tools"];
    const shell = `${image.shellPath}/bin/sh`;
    const run = await stageRootfs(["run", ...words, "--", shell, "-c", script], { cwd: "/" });
    expect(run.stdout).toBe("beside is written\n");
    expect(run.stderr.match(/Read-only file system/g)).toHaveLength(3);
    expect(existsSync(join(place, "beside"))).toBe(true);
  });

  repxTest("the cache can't be bound to be written to, by whatever link", async () => {
    const { lab } = await labWithTools();
    const place = shownDirectory();
    const cacheDir = join(place, "cache");
    await stage(["--cache-dir", cacheDir, "--lab", lab, "tools"]);
    const link = join(shownDirectory(), "link");
    symlinkSync(join(cacheDir, "v1"), link);
    const words = ["--cache-dir", cacheDir, "--bind", `${link}:/x`, "--lab", lab, "tools"];
    const run = await stageRootfs(["run", ...words]);
    expect(run).toMatchObject({ stdout: "", exitCode: 2 });
    expect(run.stderr).toContain("is in the cache, which a sandbox may not write to");
  });
});

describe("a node's cache", () => {
  repxTest("is not marked as done by a staging that failed", async () => {
    const lab = emptyLab();
    await addTarball(lab, "image/tools.tar");
    const { archive, diffIds, shellPath } = await nixImage();
    const file = join(lab, "image/tools.tar");
    const args = ["-q", "--cache-dir", ownDirectory(), "--lab", lab, "tools"];
    const damaged = readFileSync(archive);
    const [, hex = ""] = diffIds.at(-1)?.split(":") ?? [];
    const layer = damaged.indexOf(`${hex}/layer.tar`) + 512;
    damaged.fill(7, layer + 600, layer + 700);
    writeFileSync(file, damaged);
    expect(await stageRootfs(args)).toMatchObject({ stdout: "", exitCode: 65 });
    writeFileSync(file, readFileSync(archive));
    const { rootfs } = await stage(args);
    expect(existsSync(join(rootfs, shellPath, "bin/busybox"))).toBe(true);
  });

  repxTest(
    "is not stuck after a kill amid store directories that nobody may write to",
    async () => {
      const { lab, image } = await labWithTools();
      const cacheDir = ownDirectory();
      const args = ["--cache-dir", cacheDir, "--lab", lab, "tools"];
      const underWay = () => {
        const work = join(cacheDir, "v1/tmp");
        return existsSync(work) && readdirSync(work).some((name) => hasStore(join(work, name)));
      };
      const killed = await stageRootfs(args, { killWhen: { condition: underWay } });
      expect(["SIGKILL", undefined]).toContain(killed.signal);
      const { rootfs } = await stage(args);
      expect(existsSync(join(rootfs, image.dataPath))).toBe(true);
      expect(leftovers(cacheDir)).toEqual([]);
    },
  );

  function hasStore(directory: string): boolean {
    return (
      existsSync(join(directory, "tree/nix/store")) || existsSync(join(directory, "nix/store"))
    );
  }

  repxTest("has no lock that keeps the next user out", async () => {
    const { lab } = await labWithTools();
    const base = makeScratchDir("base", { mode: 0o1777 });
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    const config = settingsFile("config.toml", `[targets.c]\nbase_path = "${base}"\n`);
    const args = ["--config", config, "--lab", lab, "tools"];
    const first = await stage(args, { as: "ordinary" });
    const second = await stage(args, { as: "another" });
    expect(second).toMatchObject({ key: expect.stringContaining("sha256-"), hit: false });
    expect(second.rootfs).not.toBe(first.rootfs);
  });

  repxTest("tells layers apart that Docker 25 and later call blobs/sha256/...", async () => {
    const { lab, image } = await labWithTools();
    renameLayersAsDocker(lab, "tools");
    const staged = await stage(["--cache-dir", ownDirectory(), "--lab", lab, "tools"]);
    expect(staged.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
    for (const path of [image.dataPath, image.shellPath]) {
      expect(existsSync(join(staged.rootfs, path))).toBe(true);
    }
  });
});
