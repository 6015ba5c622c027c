import { chmodSync, existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { AnswerStore, FoundAnswer } from "../../../src/launch/choice/answer-store.js";
import { chooseRuntime, type RuntimeChoice } from "../../../src/launch/choice/choose-runtime.js";
import type { LaunchPlan } from "../../../src/launch/plan.js";
import type { Runtime } from "../../../src/launch/runtime.js";
import { cannot } from "../../../src/launch/runtimes/cannot.js";
import { FakePrograms } from "../../support/fake-programs.js";
import { somePlan } from "../../support/launch-plans.js";

// What is chosen here are scripts: how real runtimes are called is of no account.
vi.mock("../../../src/launch/command.js", () => ({
  toCommand: ({ root, hostname }: LaunchPlan, runtime: Runtime) => {
    const { name, program, ociRuntime = "", canOverlay } = runtime;
    if (hostname === `not-${name}`) throw cannot(name, "has no names", { hint: "leave it out" });
    return {
      argv: [program, "start", root, ociRuntime, canOverlay ? "overlay" : ""],
      env: {},
      fds: [],
    };
  },
}));

// Nor is what this machine has: only the scripts are found.
vi.mock("../../../src/launch/find-program.js", () => ({
  findProgram: (name: string, path = "") => {
    const program = join(path.split(":")[0] ?? "", name);
    return existsSync(program) ? program : undefined;
  },
}));

const good = 'test "$1" = --version && echo "$0 version 1.2.3"; exit 0';
const bad = 'test "$1" = --version && exec echo 1.2.3; echo "it hurts" >&2; exit 3';

const names = ["bwrap", "apptainer", "podman", "docker"] as const;

/** All runtimes, some of which work. */
function runtimes(working: readonly string[]): FakePrograms {
  const programs = new FakePrograms();
  for (const name of names) programs.make(name, working.includes(name) ? good : bad);
  return programs;
}

/** Keeps answers in memory, under the question's name. */
function memory(): AnswerStore & { readonly kept: Map<string, FoundAnswer & { state: string }> } {
  const kept = new Map<string, FoundAnswer & { state: string }>();
  return {
    kept,
    find: ({ name, state }) => {
      const found = kept.get(name);
      return found?.state === state ? found : undefined;
    },
    keep: async ({ name, state }, found) => {
      kept.set(name, { ...found, state });
    },
  };
}

function choose(choice: Partial<RuntimeChoice> = {}) {
  return chooseRuntime({
    candidates: undefined,
    nativePath: "host",
    plan: somePlan(),
    ...choice,
  });
}

describe("chooseRuntime", () => {
  test.each([
    [["bwrap", "podman"], "bwrap"],
    [["apptainer", "podman"], "apptainer"],
    [["podman", "docker"], "podman"],
    [["docker"], "docker"],
  ])("without a choice takes of %j the first: %s", async (working, name) => {
    const programs = runtimes(working);
    const { runtime } = await choose();
    expect(runtime).toMatchObject({ name, version: "1.2.3" });
    expect(runtime.program).toBe(`${programs.directory}/${name}`);
  });

  test("tries no candidate behind the first that works", async () => {
    const programs = runtimes(names);
    await choose({ candidates: ["podman", "bwrap"] });
    expect(programs.calls("podman")).toEqual(["--version", "start ro crun"]);
    expect(programs.calls("bwrap")).toEqual([]);
  });

  test("says in one sentence each why better candidates were passed over", async () => {
    runtimes(["podman"]);
    const { warnings } = await choose();
    expect(warnings).toEqual([
      expect.stringMatching(/^bwrap failed with status 3: it hurts; /),
      expect.stringMatching(/^apptainer failed with status 3: it hurts; /),
    ]);
    expect((await choose({ candidates: ["podman"] })).warnings).toEqual([]);
  });

  test("says of one that is not installed only where it was asked for", async () => {
    new FakePrograms().make("podman", good);
    expect(await choose()).toMatchObject({ runtime: { name: "podman" }, warnings: [] });
    expect((await choose({ candidates: ["bwrap", "podman"] })).warnings).toEqual([
      expect.stringMatching(/^bwrap is not installed, or not on PATH; install bubblewrap/),
    ]);
    await expect(choose({ candidates: ["apptainer"] })).rejects.toMatchObject({
      code: "SANDBOX",
      message: "apptainer is not installed, or not on PATH",
    });
  });

  test("says why each does not work, and takes native only where it is named", async () => {
    runtimes([]);
    await expect(choose()).rejects.toMatchObject({
      code: "SANDBOX",
      message: expect.stringMatching(
        /^no runtime works on this node: bwrap failed .*; apptainer .*; podman .*; docker /,
      ),
      hint: expect.stringContaining("stage-rootfs doctor"),
    });
    const { runtime, warnings } = await choose({ candidates: ["bwrap", "native"] });
    expect(runtime).toMatchObject({ name: "native", program: "" });
    expect(warnings).toHaveLength(1);
  });

  test("names the one that was forced, and what to do", async () => {
    runtimes(["bwrap"]);
    await expect(choose({ candidates: ["podman"] })).rejects.toMatchObject({
      code: "SANDBOX",
      message: "podman failed with status 3: it hurts",
      hint: expect.stringContaining("look at"),
    });
  });

  test("passes over one that can't do what is planned, on any node", async () => {
    runtimes(["bwrap", "podman"]);
    const plan = somePlan({ hostname: "not-bwrap" });
    const { runtime, warnings } = await choose({ plan, candidates: ["bwrap", "podman"] });
    expect(runtime.name).toBe("podman");
    expect(warnings).toEqual(["bwrap has no names; leave it out"]);
    await expect(choose({ plan, candidates: ["bwrap"] })).rejects.toMatchObject({
      message: "bwrap has no names",
      hint: "leave it out",
    });
  });
});

describe("what is found out", () => {
  test("is who starts it, and by which variables it goes", async () => {
    runtimes(["podman"]);
    vi.stubEnv("CONTAINERS_CONF", "/etc/other.conf");
    const { runtime } = await choose({ candidates: ["podman"] });
    expect(runtime.caller).toEqual({ uid: process.geteuid?.(), gid: process.getegid?.() });
    expect(runtime.callerEnv).toMatchObject({ CONTAINERS_CONF: "/etc/other.conf" });
  });

  test("is where native looks for programs", async () => {
    const { runtime } = await choose({ candidates: ["native"], nativePath: "rootfs" });
    expect(runtime.nativePath).toBe("rootfs");
  });

  test("is whether bwrap can mount an overlay, and remembered", async () => {
    const programs = runtimes(["bwrap"]);
    const choice = { answers: memory(), plan: somePlan({ writable: true }) };
    const first = await choose(choice);
    expect(first.runtime.canOverlay).toBe(true);
    expect(programs.calls("bwrap").at(-1)).toBe("start rw overlay");
    expect(await choose(choice)).toEqual(first);
    expect(programs.calls("bwrap")).toHaveLength(2);
  });

  test("is which program below podman works, and remembered", async () => {
    const programs = new FakePrograms();
    programs.make("podman", `test "$3" = crun && exit 1; ${good}`);
    const choice: Partial<RuntimeChoice> = { answers: memory(), candidates: ["podman"] };
    const first = await choose(choice);
    expect(first.runtime.ociRuntime).toBe("runc");
    expect(await choose(choice)).toEqual(first);
    expect(programs.calls("podman")).toEqual(["--version", "start ro crun", "start ro runc"]);
  });

  test("is of podman what crun says where runc does not work either", async () => {
    new FakePrograms().make(
      "podman",
      `test "$1" = --version && echo 4.3.1 || { echo "of $3" >&2; exit 1; }`,
    );
    await expect(choose({ candidates: ["podman"] })).rejects.toThrow(/: of crun$/);
  });
});

describe("what is remembered", () => {
  test("of a runtime that works starts nothing the next time", async () => {
    const programs = runtimes(["bwrap"]);
    const answers = memory();
    const first = await choose({ answers });
    expect(programs.calls("bwrap")).toHaveLength(2);
    expect(await choose({ answers })).toEqual(first);
    expect(programs.calls("bwrap")).toHaveLength(2);
  });

  test("is not believed of another program in its place", async () => {
    const programs = runtimes(["bwrap"]);
    const answers = memory();
    await choose({ answers });
    programs.make("bwrap", `${bad} # changed`);
    await expect(choose({ answers, candidates: ["bwrap"] })).rejects.toThrow("it hurts");
  });

  test.each([
    ["mode", (path: string) => chmodSync(path, 0o700)],
    ["time", (path: string) => utimesSync(path, 1, 1)],
  ])("is not believed where the program's %s is another", async (_, change) => {
    const programs = runtimes(["bwrap"]);
    const answers = memory();
    await choose({ answers });
    change(`${programs.directory}/bwrap`);
    await choose({ answers });
    expect(programs.calls("bwrap")).toHaveLength(4);
  });

  test.each([
    ["boot", "another-boot"],
    ["host", "another-host"],
    ["kernel", "4.18.0"],
    ["uid", 4711],
    ["cgroups", "others"],
  ])("is not believed of another %s", async (field, value) => {
    const programs = runtimes(["podman"]);
    const answers = memory();
    const candidates = ["podman"] as const;
    await choose({ answers, candidates });
    for (const found of answers.kept.values()) {
      const state: unknown = JSON.parse(found.state);
      expect(state).toHaveProperty(field);
      found.state = JSON.stringify({ ...Object(state), [field]: value });
    }
    await choose({ answers, candidates });
    expect(programs.calls("podman")).toHaveLength(4);
  });

  test("of podman is not believed with another home, of bwrap it is", async () => {
    const programs = runtimes(names);
    const answers = memory();
    for (const home of ["/home/one", "/home/two"]) {
      vi.stubEnv("HOME", home);
      await choose({ answers, candidates: ["bwrap"] });
      await choose({ answers, candidates: ["podman"] });
    }
    expect(programs.calls("bwrap")).toHaveLength(2);
    expect(programs.calls("podman")).toHaveLength(4);
  });

  test.each([
    ["writable", { writable: true }],
    ["the host's network", { network: "host" as const }],
    ["another user", { user: { uid: 0, gid: 0 } }],
  ])("is not what is asked of a plan with %s", async (_, options) => {
    const programs = runtimes(["bwrap"]);
    const answers = memory();
    await choose({ answers });
    await choose({ answers, plan: somePlan(options) });
    expect(programs.calls("bwrap")).toHaveLength(4);
    await choose({ answers });
    await choose({ answers, plan: somePlan(options) });
    expect(programs.calls("bwrap")).toHaveLength(4);
    expect(answers.kept.size).toBe(2);
  });

  test.each([
    [false, 9, 2],
    [false, 11, 4],
    // A clock that was set back.
    [false, -11, 4],
    [true, 9999, 2],
  ])(
    "that it works: %s, %i minutes ago, leads to %i calls in all",
    async (works, minutes, calls) => {
      const programs = runtimes(works ? ["bwrap"] : []);
      const answers = memory();
      const attempt = () => choose({ answers, candidates: ["bwrap", "native"] });
      await attempt();
      for (const found of answers.kept.values()) {
        Object.assign(found, { foundAt: Date.now() - minutes * 60_000 });
      }
      await attempt();
      expect(programs.calls("bwrap")).toHaveLength(calls);
    },
  );

  test.each([
    [null],
    ["yes"],
    [{ works: "yes" }],
    [{ works: true, version: 3 }],
    [{ works: true, ociRuntime: "sh" }],
    [{ works: false, reason: "because" }],
  ])("is tried again where it makes no sense: %j", async (answer) => {
    const programs = runtimes(["bwrap"]);
    const answers = memory();
    await choose({ answers });
    for (const found of answers.kept.values()) Object.assign(found, { answer });
    await choose({ answers });
    expect(programs.calls("bwrap")).toHaveLength(4);
  });
});
