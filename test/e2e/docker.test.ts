import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunResult, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { fakeDocker } from "./support/fake-docker.js";
import { testNeeding } from "./support/programs.js";

const dockerTest = testNeeding(debianImageNeeds);

/** Runs with a docker that is a fake: it tells what it is asked for, and starts nothing. */
async function withFakeDocker() {
  const { forms, imageId } = await debianImage();
  const docker = fakeDocker(imageId);
  const cacheDir = freshCacheDir("ordinary");
  const { PATH = "" } = process.env;
  const env = { PATH: `${docker.directory}:${PATH}`, DOCKER_HOST: "unix:///fake.sock" };
  const run = (image: string, options: readonly string[] = []): Promise<RunResult> =>
    stageRootfs(
      ["run", "-q", "--cache-dir", cacheDir, "--docker", ...options, image, "--", "/bin/true", "x"],
      { env },
    );
  const loaded = () => {
    const file = join(docker.directory, "loaded");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  };
  return { ...docker, run, loaded, forms, imageId };
}

describe("docker, of which a fake tells what it is asked for,", () => {
  dockerTest("is given the image once, and then starts it by its ID, isolated", async () => {
    const { run, loaded, forms, imageId } = await withFakeDocker();
    const first = await run(forms.dockerArchive);
    expect(first).toMatchObject({
      stderr: `fake docker: loaded ${forms.dockerArchive}\n`,
      exitCode: 7,
    });
    expect(first.stdout).toContain("[--network] [none]");
    expect(first.stdout).toContain("[--read-only]");
    expect(first.stdout).toContain(`[--entrypoint] [] [${imageId}] [/bin/true] [x]; `);
    expect(first.stdout).toContain("; GREETING=hello there DOCKER_HOST=unix:///fake.sock\n");
    expect(await run(forms.dockerArchive)).toMatchObject({ stderr: "", exitCode: 7 });
    expect(loaded()).toEqual([forms.dockerArchive]);
  });

  dockerTest("is not given a layout, which it could not load", async () => {
    const { run, loaded, forms } = await withFakeDocker();
    const { stdout, exitCode } = await run(forms.ociLayoutGzip);
    expect(stdout).toContain("[--pull] [never]");
    expect(exitCode).toBe(7);
    expect(loaded()).toEqual([]);
  });

  dockerTest("that knows images by other IDs is found out", async () => {
    const { run, forget, forms, imageId } = await withFakeDocker();
    forget();
    const { stdout, stderr, exitCode } = await run(forms.dockerArchive);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 125 });
    expect(stderr).toContain(
      `docker: the engine has loaded ${forms.dockerArchive}, but knows no image by the ID ${imageId}\n`,
    );
  });

  dockerTest("without its engine is a named reason", async () => {
    const { run, stop, forms } = await withFakeDocker();
    stop();
    const { stderr, exitCode } = await run(forms.dockerArchive);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^stage-rootfs: docker reaches no engine/m);
  });
});
