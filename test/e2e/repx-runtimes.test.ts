/** What RepX's documentation says of its runtimes, line by line: docs/containerization, "Runtime Backends". */
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { fakeDocker } from "./support/fake-docker.js";
import { makePodmanSite, type PodmanSite, podmanSiteNeeds } from "./support/podman-site.js";
import { testNeeding } from "./support/programs.js";
import { userFor } from "./support/users.js";

describe("Runtime Backends", () => {
  const { uid } = userFor("ordinary");

  testNeeding(debianImageNeeds)(
    "native: direct process execution (no isolation); privileges required: none",
    async () => {
      const { forms } = await debianImage();
      const cache = ["--cache-dir", freshCacheDir("ordinary")];
      const seen = freshCacheDir("ordinary");
      const natively = (script: string) =>
        stageRootfs([
          ...["run", ...cache, "--native", forms.dockerArchive],
          ...["--", "/bin/sh", "-c", script],
        ]);
      await natively(`echo there >${seen}/file`);
      const { stdout, stderr } = await natively(
        `id -u; cat ${seen}/file; readlink /proc/self/ns/net`,
      );
      const [who, file, network] = stdout.split("\n");
      expect([who, file]).toEqual([`${uid}`, "there"]);
      expect(network).toBe(readlinkSync("/proc/self/ns/net"));
      expect(stderr).toContain("no isolation");
    },
  );

  testNeeding(debianImageNeeds)("docker: Docker container engine (here a fake)", async () => {
    const { forms, imageId } = await debianImage();
    const { directory } = fakeDocker(imageId);
    const { PATH = "" } = process.env;
    const args = ["-q", "--cache-dir", freshCacheDir("ordinary"), "--docker", forms.dockerArchive];
    const { stdout } = await stageRootfs(["run", ...args, "--", "/bin/true"], {
      env: { PATH: `${directory}:${PATH}` },
    });
    expect(stdout).toContain(`[${imageId}] [/bin/true]`);
  });

  const podmanTest = testNeeding(podmanSiteNeeds);
  let site: Promise<PodmanSite> | undefined;
  const podman = () => {
    site ??= makePodmanSite("ordinary");
    return site;
  };
  afterAll(async () => await (await site)?.remove());

  podmanTest("podman: Podman rootless containers; privileges required: none", async () => {
    const { run } = await podman();
    const { stdout } = await run(
      "id -u; tr -s ' ' </proc/self/uid_map; grep CapEff /proc/self/status",
    );
    // One id, the user's own, and no capability.
    expect(stdout).toBe(`${uid}\n ${uid} 0 1\nCapEff:\t0000000000000000\n`);
  });

  describe("Isolation Properties, of podman", () => {
    podmanTest("Root filesystem: read-only", async () => {
      const { run } = await podman();
      const { stderr, exitCode } = await run("touch /x");
      expect(exitCode).toBe(1);
      expect(stderr).toContain("Read-only file system");
    });

    podmanTest("Output directory: mounted read-write at $out", async () => {
      const { run } = await podman();
      const out = freshCacheDir("ordinary");
      const { exitCode } = await run('echo made >"$out/file"', ["--output", out]);
      expect(exitCode).toBe(0);
      expect(readFileSync(join(out, "file"), "utf8")).toBe("made\n");
    });

    podmanTest("Input artifacts: bind-mounted from upstream jobs", async () => {
      const { run } = await podman();
      const upstream = freshCacheDir("ordinary");
      await run(`echo result >"$out/a"`, ["--output", upstream]);
      const { stdout, stderr } = await run(`cat ${upstream}/a; echo >${upstream}/b`, [
        ...["--input", upstream],
      ]);
      expect(stdout).toBe("result\n");
      expect(stderr).toContain("Read-only file system");
    });

    podmanTest("Network: disabled by default", async () => {
      const { run } = await podman();
      expect((await run("cut -s -d: -f1 /proc/net/dev | tr -d ' '")).stdout).toBe("lo\n");
    });
  });
});
