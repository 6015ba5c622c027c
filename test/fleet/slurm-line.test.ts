import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  attachLine,
  batchLine,
  instanceLine,
  shellLine,
  terminalLine,
} from "../../src/fleet/slurm-line.js";

const line = {
  directory: "/home/a b",
  program: ["/opt/stage-rootfs"],
  words: ["--env=A=1", "image.tar", "--", "echo", "it's"],
} as const;

describe("a line for Slurm", () => {
  test("has a terminal in a job of its own, and forces nothing on a site", () => {
    expect(terminalLine(line)).toEqual([
      ...["srun", "--pty", "--chdir=/home/a b", "/opt/stage-rootfs", "run", "--tty"],
      ...line.words,
    ]);
  });

  test("has the site's partition, and Slurm's own options last", () => {
    const slurmArgs = ["time=1:00", "--mem=2G", "-wn1"];
    expect(terminalLine({ ...line, partition: "gpu", slurmArgs }).slice(2, 7)).toEqual([
      "--chdir=/home/a b",
      "--partition=gpu",
      "--time=1:00",
      "--mem=2G",
      "-wn1",
    ]);
  });

  test("attaches a terminal to the instance that a job keeps", () => {
    expect(attachLine(line, { jobId: "7", instance: "work" })).toEqual([
      ...["srun", "--pty", "--overlap", "--jobid=7", "--chdir=/home/a b", "/opt/stage-rootfs"],
      ...["run", "--tty", "--instance=work", ...line.words],
    ]);
  });

  test("submits a job whose shell reads the words as they are", () => {
    const argv = batchLine({ ...line, program: ["printf", "%s\n"] });
    expect(argv.slice(0, 3)).toEqual(["sbatch", "--parsable", "--chdir=/home/a b"]);
    const [, script = ""] = /^--wrap=(.*)$/s.exec(argv[3] ?? "") ?? [];
    const read = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(read.trimEnd().split("\n")).toEqual(["run", ...line.words]);
  });

  test.each([
    ["echo 'echo script'", "script"],
    ["echo 'echo part'; exit 1", "INSTANCE_FAILED"],
  ])("keeps an instance by the script that the node prints: %s", (program, said) => {
    const argv = instanceLine({ ...line, program: ["sh", "-c", program] }, { instance: "work" });
    const [, script = ""] = /^--wrap=(.*)$/s.exec(argv[3] ?? "") ?? [];
    const read = execFileSync("sh", ["-c", `(${script}) || true`], { encoding: "utf8" });
    expect(read).toBe(`${said}\n`);
    expect(script).toContain("command --instance=work --script --env=A=1 image.tar");
  });

  test("is read back by a shell", () => {
    const words = ["printf", "%s,", "a b", "it's", "$HOME", ""];
    expect(execFileSync("sh", ["-c", shellLine(words)], { encoding: "utf8" })).toBe(
      "a b,it's,$HOME,,",
    );
  });
});
