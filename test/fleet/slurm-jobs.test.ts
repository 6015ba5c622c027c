import { beforeEach, describe, expect, test, vi } from "vitest";
import { slurmJobs } from "../../src/fleet/slurm-jobs.js";
import { FakePrograms } from "../support/fake-programs.js";
import { rejection } from "../support/refusal.js";

// This machine may have a Slurm of its own, with jobs.
vi.mock("../../src/fleet/job-steps.js", () => ({ jobsWithSteps: () => new Set() }));

let programs: FakePrograms;
beforeEach(() => {
  programs = new FakePrograms();
  settings("AccountingStorageType = accounting_storage/none", "PrivateData = none");
});

function settings(...lines: readonly string[]): void {
  programs.make("scontrol", `cat <<'END'\n${lines.join("\n")}\nEND`);
}

function listing(...lines: readonly string[]): void {
  programs.make("squeue", `cat <<'END'\n${["JOBID JOBID", ...lines].join("\n")}\nEND`);
}

const leased = [{ id: "900007", isOwn: true }];

describe("the jobs that exist", () => {
  test("are known by their own IDs and by those of their arrays", async () => {
    listing("12 12", "14 13_1");
    expect(await slurmJobs()).toEqual(new Set(["12", "14", "13_1"]));
    expect(programs.calls("squeue")).toEqual(["--all --array --format=%A %i"]);
  });

  test("are known by the first part of a heterogeneous job, also when that has ended", async () => {
    listing("15 14+1");
    expect(await slurmJobs()).toEqual(new Set(["15", "14+1", "14"]));
  });

  test("are all there are, whatever the caller wants to see of them", async () => {
    vi.stubEnv("SQUEUE_USERS", "bob");
    vi.stubEnv("SLURM_CLUSTERS", "other");
    programs.make("squeue", `echo JOBID JOBID; env | grep -e ^SQUEUE_ -e ^SLURM_CLUSTERS= || true`);
    expect(await slurmJobs()).toEqual(new Set());
  });

  test.each(["", "exec true", "echo 12 12"])(
    "are not known by the answer of %j",
    async (script) => {
      programs.make("squeue", script);
      expect((await rejection(slurmJobs())).toReport()).toMatchObject({
        code: "BUSY",
        message: "Slurm can't say which jobs exist: squeue printed no list",
      });
    },
  );

  test.each([
    ["printf 'JOBID JOBID\\n8 8\\n9000'", "squeue's list breaks off"],
    ["printf 'JOBID JOBID\\n8 8\\n9000 9000'", "squeue's list breaks off"],
    ["printf 'JOBID JOBID'", "squeue's list breaks off"],
    ["printf 'JOBID JOBID\\n8\\n'", `squeue's list has "8"`],
    ["printf 'JOBID JOBID\\nlost it\\n'", `squeue's list has "lost it"`],
  ])("are not known by the damaged list of %j", async (script, reason) => {
    programs.make("squeue", script);
    const error = await rejection(slurmJobs(undefined, leased));
    expect(error.message).toBe(`Slurm can't say which jobs exist: ${reason}`);
  });

  test("are no matter of accounting or settings where squeue lists all that are leased", async () => {
    listing("900007 900007");
    expect(await slurmJobs(undefined, leased)).toEqual(new Set(["900007"]));
    expect(programs.calls("scontrol")).toEqual([]);
  });
});

describe("a leased job that squeue does not list", () => {
  test("is over where there is no accounting", async () => {
    listing("8 8");
    programs.make("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
    expect(await slurmJobs(undefined, leased)).toEqual(new Set(["8"]));
    expect(programs.calls("sacct")).toEqual([]);
  });

  test.each([
    ["900007|900007|COMPLETED", []],
    ["900007|900007|CANCELLED by 1000", []],
    ["900007|900007|NODE_FAIL", []],
    ["", []],
    ["900007|900007|RUNNING", ["900007"]],
    ["900007|900007|PENDING", ["900007"]],
    ["900007|900007|SOMETHING_NEW", ["900007"]],
    ["9|900007_2|SUSPENDED", ["9", "900007_2"]],
    ["8|900007+1|RUNNING", ["8", "900007+1", "900007"]],
  ])("is judged by accounting's %j", async (line, expected) => {
    listing();
    settings("AccountingStorageType   = accounting_storage/slurmdbd");
    programs.make("sacct", `echo '${line}'`);
    expect(await slurmJobs(undefined, leased)).toEqual(new Set(expected));
    expect(programs.calls("sacct")).toEqual([
      "--allusers --allocations --noheader --parsable2 --format=JobIDRaw,JobID,State --jobs=900007",
    ]);
  });

  test("is not known to be over where accounting does not answer", async () => {
    listing();
    settings("AccountingStorageType   = accounting_storage/slurmdbd");
    programs.make("sacct", "echo 'sacct: error: Connection refused' >&2; exit 1");
    const { message } = await rejection(slurmJobs(undefined, leased));
    expect(message).toBe("Slurm can't say how jobs have ended: sacct: error: Connection refused");
  });

  test("is over where accounting is on and this node has no sacct", async () => {
    listing();
    settings("AccountingStorageType   = accounting_storage/slurmdbd");
    vi.stubEnv("PATH", `${programs.directory}:/nowhere`);
    programs.make("squeue", "echo JOBID JOBID");
    programs.make("scontrol", "echo 'AccountingStorageType = accounting_storage/slurmdbd'");
    expect(await slurmJobs(undefined, leased)).toEqual(new Set());
  });

  test("is not known to be over where Slurm does not say how it is set up", async () => {
    listing();
    programs.make("scontrol", "echo 'scontrol: error: timed out' >&2; exit 1");
    expect((await rejection(slurmJobs(undefined, leased))).code).toBe("BUSY");
  });

  test.each(["jobs", "accounts,jobs,usage", "all"])(
    "stays for others with PrivateData=%s",
    async (data) => {
      listing();
      settings("AccountingStorageType = (null)", `PrivateData = ${data}`);
      const both = [...leased, { id: "8", isOwn: false }];
      vi.spyOn(process, "geteuid").mockReturnValue(1000);
      expect(await slurmJobs(undefined, both)).toEqual(new Set(["8"]));
      vi.spyOn(process, "geteuid").mockReturnValue(0);
      expect(await slurmJobs(undefined, both)).toEqual(new Set());
    },
  );
});
