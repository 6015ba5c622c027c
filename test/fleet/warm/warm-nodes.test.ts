import { existsSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { FleetEvent } from "../../../src/fleet/warm/fleet-event.js";
import { type FleetOptions, warmNodes } from "../../../src/fleet/warm/warm-nodes.js";
import { FakePrograms } from "../../support/fake-programs.js";

/** What a node prints that has its image, and one that staged it. */
function lines(state: "hit" | "staged", node = "$node"): string {
  const image = { type: "image", node, image: "a", state, key: "k", rootfs: "/r" };
  const all = [
    { type: "node", node, cacheDirectory: "/c", sharedWith: [] },
    { ...image, unpackedSize: 1, fetched: 0, ms: 1 },
    { type: "end", node, ready: 1, failed: 0, skipped: 0, ms: 1 },
  ];
  return all.map((event) => `echo '${JSON.stringify(event)}'`).join("\n");
}

/** A Slurm whose srun is a script, which has the node's name in $node. */
function fakeSlurm(script: string): FakePrograms {
  const programs = new FakePrograms();
  programs.make("scontrol", `echo "$3" | tr , '\\n'`);
  programs.make("sinfo", 'for i in 1 2 3 4 5 6; do echo "n$i|p*|idle|none"; done');
  const node = `for each; do case $each in --nodelist=*) node=\${each#*=} ;; esac; done`;
  programs.make("srun", `${node}\ncd '${programs.directory}'\n${script}`);
  // Whatever guards srun elsewhere, the fake one is to be found first.
  programs.make("setpriv", 'shift 2; exec "$@"');
  return programs;
}

function warm(nodes: string, more: Partial<FleetOptions> = {}) {
  const { PATH } = process.env;
  return warmNodes(["a", "b"], { nodes, program: ["/p"], env: { PATH }, ...more });
}

describe("nodes", () => {
  test("are given the list on their input, and are warm or staged by what they tell", async () => {
    const programs = fakeSlurm(`cat >input-$node
if [ $node = n1 ]; then ${lines("hit", "n1")}; else ${lines("staged", "x")}; fi`);
    const { nodes, exitStatus } = await warm("n1,n2");
    expect(exitStatus).toBe(0);
    const outcomes = nodes.map(({ node, outcome }) => `${node} ${outcome}`).sort();
    expect(outcomes).toEqual(["n1 warm", "n2 staged"]);
    expect(readFileSync(`${programs.directory}/input-n2`, "utf8")).toBe("a\nb\n");
  });

  test("are at work up to a number at the same time, and all of them are", async () => {
    fakeSlurm(`mkdir at-$node; set -- at-*; [ $# -gt 2 ] && exit 9
sleep 0.05; rmdir at-$node; ${lines("hit", "n")}`);
    const { nodes, exitStatus } = await warm("n1,n2,n3,n4,n5,n6", { fanIn: 2 });
    expect({ count: nodes.length, exitStatus }).toEqual({ count: 6, exitStatus: 0 });
  });

  test("keep the name that Slurm has for them, and what is no event is told as their words", async () => {
    fakeSlurm(`echo hello; echo 'stage-rootfs: warning: odd' >&2; ${lines("hit", "other")}`);
    const events: FleetEvent[] = [];
    await warm("n1", { onEvent: (event) => events.push(event) });
    expect(events.map((event) => ("node" in event ? event.node : ""))).not.toContain("other");
    const logs = events.filter(({ type }) => type === "log");
    expect(logs).toEqual(
      expect.arrayContaining([
        { type: "log", node: "n1", text: "hello" },
        { type: "log", node: "n1", text: "stage-rootfs: warning: odd" },
      ]),
    );
  });

  test("that fail keep nobody from work, and are tried again as often as is asked", async () => {
    const programs = fakeSlurm(`[ $node = n2 ] || { ${lines("hit", "n")}; exit; }
echo again >>tries; echo "srun: error: no luck" >&2; exit 1`);
    const events: FleetEvent[] = [];
    const { nodes, failures } = await warm("n1,n2,n3", {
      retry: 1,
      onEvent: (event) => events.push(event),
    });
    expect(nodes.map(({ node }) => node).sort()).toEqual(["n1", "n2", "n3"]);
    expect(failures).toMatchObject([{ error: { message: "no luck" }, nodes: ["n2"] }]);
    expect(readFileSync(`${programs.directory}/tries`, "utf8")).toBe("again\nagain\n");
    expect(events).toContainEqual(
      expect.objectContaining({ type: "step", node: "n2", state: "retrying", attempt: 2 }),
    );
  });

  test("are not tried again where that can't help", async () => {
    const programs = fakeSlurm("echo again >>tries; exit 127");
    const { failures } = await warm("n1", { retry: 3 });
    expect(failures).toMatchObject([{ error: { code: "NOT_FOUND" } }]);
    expect(readFileSync(`${programs.directory}/tries`, "utf8")).toBe("again\n");
  });

  test("that say nothing in time are given up, and their jobs are cancelled", async () => {
    const programs = fakeSlurm("trap 'touch cancelled; exit 1' TERM; sleep 30 & wait");
    const start = performance.now();
    const { failures } = await warm("n1", { startWithin: 0.3 });
    expect(failures[0]?.error).toEqual({
      code: "BUSY",
      message: "it did not begin within 0.3 s: the node does not answer",
      hint: "try again later, or allow more with --start-within SECONDS",
    });
    expect(existsSync(`${programs.directory}/cancelled`)).toBe(true);
    // What srun leaves behind may hold its output open.
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  test("that hang after their deadline are given up a minute later, with what they have", async () => {
    const [listed, first] = lines("hit", "n").split("\n");
    const programs = fakeSlurm(
      `trap 'touch cancelled; exit 1' TERM; ${listed}; ${first}; sleep 30 & wait`,
    );
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const events: string[] = [];
    const warming = warm("n1", { deadline: 5, onEvent: ({ type }) => events.push(type) });
    await vi.waitUntil(() => events.includes("image"), { timeout: 5000 });
    vi.advanceTimersByTime(64_000);
    expect(existsSync(`${programs.directory}/cancelled`)).toBe(false);
    vi.advanceTimersByTime(1000);
    const { nodes, exitStatus } = await warming;
    expect(nodes).toMatchObject([
      {
        outcome: "partial",
        ready: 1,
        error: { message: "it did not end within 65 s, and was ended" },
      },
    ]);
    expect(exitStatus).toBe(1);
  });

  test("that began take as long as they need", async () => {
    fakeSlurm(`${lines("hit", "n").split("\n")[0]}; sleep 0.5; ${lines("hit", "n")}`);
    expect(await warm("n1", { startWithin: 0.3 })).toMatchObject({ exitStatus: 0 });
  });

  test("are ready only once they said that they came to the end", async () => {
    fakeSlurm(lines("hit", "n").split("\n").slice(0, 2).join("\n"));
    const { nodes, exitStatus } = await warm("n1");
    expect(nodes).toMatchObject([{ outcome: "partial", ready: 1, error: { code: "BUSY" } }]);
    expect(exitStatus).toBe(1);
  });

  test("lack what time did not suffice for", async () => {
    const skipped = { type: "image", node: "n", image: "b", state: "skipped" };
    const late = { ...skipped, error: { code: "BUSY", message: "late" } };
    const beyond = { ...skipped, error: { code: "NO_SPACE", message: "budget" } };
    fakeSlurm(`case $node in n1) echo '${JSON.stringify(late)}' ;; *) echo '${JSON.stringify(beyond)}' ;; esac
${lines("staged", "n").replace('"skipped":0', '"skipped":1')}`);
    const { nodes } = await warm("n1,n2");
    const outcomes = nodes.map(({ node, outcome }) => `${node} ${outcome}`).sort();
    expect(outcomes).toEqual(["n1 partial", "n2 staged"]);
  });
});

test("a run that is cancelled waits until all jobs are cancelled", async () => {
  const programs = fakeSlurm(
    "trap 'sleep 0.2; touch end-$node; exit 1' TERM; touch at-$node; sleep 30 >/dev/null 2>&1 & wait",
  );
  const controller = new AbortController();
  const run = warm("n1,n2,n3", { signal: controller.signal, fanIn: 2 });
  const inDirectory = (name: string) => existsSync(`${programs.directory}/${name}`);
  await vi.waitUntil(() => inDirectory("at-n1") && inDirectory("at-n2"), { timeout: 20_000 });
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(run).rejects.toBe(reason);
  expect(["end-n1", "end-n2", "at-n3"].map(inDirectory)).toEqual([true, true, false]);
});
