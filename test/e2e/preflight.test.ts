import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";

const launchTest = testNeeding([...debianImageNeeds, "bwrap"]);

/** Files for the sandbox, each with its mode, in a directory that it sees as /files. */
function filesOf(files: Readonly<Record<string, readonly [content: string, mode: number]>>) {
  const directory = freshCacheDir("ordinary");
  chmodSync(directory, 0o755);
  for (const [name, [content, mode]] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
    chmodSync(join(directory, name), mode);
  }
  return ["--ro-bind", `${directory}:/files`];
}

const files = {
  script: ["#!/opt/nowhere/python\n", 0o755],
  windows: ["#!/bin/sh\r\nexit 0\r\n", 0o755],
  plain: ["exit 0\n", 0o644],
  good: ["#!/bin/sh\necho it runs\n", 0o755],
} as const;

describe("before anything is started", () => {
  const cases: readonly [
    what: string,
    words: readonly string[],
    expected: { exitCode: number; code: string; says: RegExp },
  ][] = [
    [
      "a command that the image lacks",
      ["--", "nosuch"],
      { exitCode: 127, code: "COMMAND_NOT_FOUND", says: /no command nosuch \(.*\/usr\/bin/ },
    ],
    [
      "a command of the host's alone",
      ["--", process.execPath],
      { exitCode: 127, code: "COMMAND_NOT_FOUND", says: /the sandbox has no / },
    ],
    [
      "a file that is not executable",
      ["--", "/files/plain"],
      { exitCode: 126, code: "COMMAND_NOT_EXECUTABLE", says: /\/files\/plain is not executable/ },
    ],
    [
      "a script whose interpreter is missing",
      ["--", "/files/script"],
      {
        exitCode: 126,
        code: "COMMAND_NOT_EXECUTABLE",
        says: /a script for \/opt\/nowhere\/python/,
      },
    ],
    [
      "a script with the line ends of Windows",
      ["--", "/files/windows"],
      { exitCode: 126, code: "COMMAND_NOT_EXECUTABLE", says: /\/bin\/sh\\x0d.*as on Windows/ },
    ],
    [
      "a working directory that is not there",
      ["--chdir", "/nowhere", "--", "true"],
      { exitCode: 125, code: "SANDBOX", says: /the working directory \/nowhere is not in/ },
    ],
    [
      "a working directory that is a file",
      ["--chdir", "/etc/passwd", "--", "true"],
      { exitCode: 125, code: "SANDBOX", says: /the working directory \/etc\/passwd is a file/ },
    ],
    [
      "two mounts at one place",
      ["--bind", "/tmp:/here", "--bind", "/var:/here", "--", "true"],
      { exitCode: 125, code: "SANDBOX", says: /\/tmp at \/here is hidden by \/var at \/here/ },
    ],
  ];

  launchTest.for(cases)("%s is said, by run and by command", async ([, words, expected]) => {
    const { forms } = await debianImage();
    const { exitCode, code, says } = expected;
    const common = ["-q", "--cache-dir", freshCacheDir("ordinary"), ...filesOf(files)];
    const run = await stageRootfs(["run", ...common, forms.dockerArchive, ...words]);
    expect(run).toMatchObject({ stdout: "", exitCode });
    expect(run.stderr).toMatch(says);
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]+\n$/);
    const printed = await stageRootfs([
      "command",
      "--json",
      ...common,
      forms.dockerArchive,
      ...words,
    ]);
    expect(printed).toMatchObject({ stdout: "", exitCode });
    expect(JSON.parse(printed.stderr)).toMatchObject({ error: { code, findings: [{}] } });
  });

  launchTest("all that is wrong is in the error's findings", async () => {
    const { forms } = await debianImage();
    const args = ["-q", "--json", "--cache-dir", freshCacheDir("ordinary"), "--chdir", "/nowhere"];
    const run = await stageRootfs(["run", ...args, forms.dockerArchive, "--", "nosuch"]);
    const { error } = JSON.parse(run.stderr);
    expect(error.message).toBe("the working directory /nowhere is not in the sandbox (and 1 more)");
    expect(error.findings.map(({ code }: { code: string }) => code)).toEqual([
      "WORKING_DIRECTORY_MISSING",
      "COMMAND_NOT_FOUND",
    ]);
  });

  launchTest.for([
    ["a script in what is mounted", ["--", "/files/good"]],
    ["a command on a PATH of the caller's", ["--env", "PATH=/files:/bin", "--", "good"]],
    ["a command by a path from the working directory", ["--chdir", "/files", "--", "./good"]],
  ] as const)("%s is found, and runs", async ([, words]) => {
    const { forms } = await debianImage();
    const common = ["-q", "--cache-dir", freshCacheDir("ordinary"), ...filesOf(files)];
    const run = await stageRootfs(["run", ...common, forms.dockerArchive, ...words]);
    expect(run).toMatchObject({ stdout: "it runs\n", exitCode: 0 });
  });

  launchTest("a mount below what is mounted read-only needs its place there", async () => {
    const { forms } = await debianImage();
    const directory = freshCacheDir("ordinary");
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, "there"));
    const bind = (target: string) => [
      "--ro-bind",
      `${directory}:/data`,
      "--bind",
      `/tmp:${target}`,
    ];
    const cache = ["-q", "--cache-dir", freshCacheDir("ordinary")];
    const run = async (target: string) => {
      const words = [...bind(target), forms.dockerArchive, "--", "true"];
      return await stageRootfs(["run", ...cache, ...words]);
    };
    expect(await run("/data/there")).toMatchObject({ exitCode: 0 });
    const refused = await run("/data/new");
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toContain(`the mount target /data/new is not in ${directory}`);
  });
});
