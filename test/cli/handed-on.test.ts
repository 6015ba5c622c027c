import { expect, test } from "vitest";
import { handedOn } from "../../src/cli/handed-on.js";
import { parseCommandLine } from "../../src/cli/options.js";

test("nodes are given what is said of staging, and nothing that is for the caller", () => {
  const own = ["--slurm", "--nodes", "n1", "--partition=p", "--fan-in", "3", "--via", "direct"];
  const others = ["--start-within=5", "--node-program=/p", "--progress=none", "-q", "--json"];
  const staging = ["--cache-dir=/c d", "--no-fsync", "--mount=/a", "--mount=/b", "--retry=2"];
  const words = ["-f", "list", "--nice", "--lab", "l", "--cert-dir=-x", "--budget=5G"];
  const { values } = parseCommandLine(["warm", ...own, ...others, ...staging, ...words]);
  const handed = handedOn(values);
  expect(handed).toEqual([...staging, "--cert-dir=-x", "--budget=5G"]);
  expect(parseCommandLine(handed).values).toMatchObject({
    "cache-dir": "/c d",
    mount: ["/a", "/b"],
  });
});
