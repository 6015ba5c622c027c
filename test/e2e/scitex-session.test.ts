import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished } from "vitest";
import {
  apptainerInstance,
  instanceScript,
  planSciTeXSession,
  type SciTeXSession,
  toCommand,
} from "../../src/index.js";
import { apptainerTest, sandboxOf } from "./support/apptainer.js";
import { scratchRoot } from "./support/places.js";
import { userFor } from "./support/users.js";

/** A session with directories of the ordinary user's, made below `home`, and a TeX Live. */
function sessionIn(home: string): SciTeXSession {
  const [user, project, repo] = ["user", "user/proj/p-1", "repo"].map((name) => join(home, name));
  // Not in memory: what is mounted where the host has it can't be below /dev.
  const tex = mkdtempSync(join(scratchRoot(), "stage-rootfs-test-tex-"));
  onTestFinished(() => rmSync(tex, { recursive: true }));
  chmodSync(tex, 0o755);
  for (const each of [project, `${repo}/src`, `${tex}/share/texlive`, `${tex}/bin`]) {
    mkdirSync(each ?? "", { recursive: true });
  }
  writeFileSync(`${repo}/src/own_module.py`, "");
  writeFileSync(`${tex}/bin/pdflatex`, "#!/bin/sh\necho typeset\n", { mode: 0o755 });
  const { uid, gid } = userFor("ordinary");
  execFileSync("chown", ["-R", `${uid}:${gid}`, home]);
  return {
    username: "alice",
    userDirectory: user ?? "",
    project: { slug: "p-1", directory: project ?? "" },
    devRepos: [{ name: "own", path: repo ?? "" }],
    texLivePrefix: tex,
    exists: existsSync,
  };
}

describe("a session", () => {
  apptainerTest("has the user's files, the project's and what is shared read-only", async () => {
    const { home, staged, runtime, start } = await sandboxOf("ordinary");
    const session = sessionIn(home);
    const script = [
      'echo "$HOME $USER $SCITEX_PROJECT $PYTHONPATH"; hostname; pwd',
      "echo x >result; echo y >~/note; touch /usr/bin/mine && echo writable",
      'ls "$PYTHONPATH"; touch "$PYTHONPATH/x" 2>/dev/null || echo read-only',
      `${session.texLivePrefix}/bin/pdflatex; ls ${session.texLivePrefix}`,
    ];
    const command = ["/bin/sh", "-c", script.join("\n")];
    const run = await start(toCommand(planSciTeXSession(staged, { ...session, command }), runtime));
    expect(run.stdout.split("\n")).toEqual([
      "/home/alice alice p-1 /opt/dev/own/src",
      ...["scitex-cloud", "/home/alice/proj/p-1", "writable", "own_module.py", "read-only"],
      ...["typeset", "bin", "share", ""],
    ]);
    expect(run).toMatchObject({ stderr: "", exitCode: 0 });
    expect(readFileSync(join(home, "user/proj/p-1/result"), "utf8")).toBe("x\n");
    expect(readFileSync(join(home, "user/note"), "utf8")).toBe("y\n");
  });

  apptainerTest("in a job is there until its instance is stopped", async () => {
    const { home, staged, runtime, start } = await sandboxOf("ordinary");
    const command = ["/bin/sh", "-c", "echo $SCITEX_USER; pwd; echo x >>/tmp/n; wc -l </tmp/n"];
    const plan = planSciTeXSession(staged, { ...sessionIn(home), command });
    const options = {
      ...{ runtime, name: `stage-rootfs-${process.pid}` },
      configDirectory: join(home, "config"),
    };
    const { exec, stop } = apptainerInstance(plan, options);
    const script = join(home, "script");
    writeFileSync(script, instanceScript(plan, options).replace("sleep 10", "sleep 0.2"));
    const env = { PATH: "/usr/bin:/bin" };
    const shell = `exec sh ${script} >${home}/said 2>&1`;
    const job = start({ argv: ["/bin/sh", "-c", shell], env, fds: [] });
    const said = () => readFileSync(join(home, "said"), "utf8");
    while (!existsSync(join(home, "said")) || !said().includes("INSTANCE_")) await sleep(50);
    expect(said()).toBe("INSTANCE_READY\n");
    for (const call of [1, 2]) {
      expect(await start(exec)).toMatchObject({
        stdout: `alice\n/home/alice/proj/p-1\n${call}\n`,
        stderr: "",
        exitCode: 0,
      });
    }
    expect((await start(stop)).exitCode).toBe(0);
    expect((await job).exitCode).toBe(0);
    expect(said()).toBe("INSTANCE_READY\nINSTANCE_STOPPED\n");
  });
});
