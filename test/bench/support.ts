import type { Part, Results, Row } from "../../bench/report/results.mjs";

/** A row whose every run took so many seconds. */
export function row(id: string, seconds: number, more: Partial<Row> = {}): Row {
  const sample = { seconds, cpuSeconds: seconds * 2, peakMiB: 10 };
  return {
    id,
    label: `the ${id}`,
    against: null,
    own: false,
    node: null,
    scale: null,
    samples: [sample],
    median: sample,
    ...more,
  };
}

export function part(name: string, rows: Row[], more: Partial<Part> = {}): Part {
  return {
    name,
    title: `Title of ${name}`,
    about: `About ${name}.`,
    unit: null,
    rounds: 5,
    rows,
    absent: [],
    measured: "2030-01-02T03:04:05.000Z",
    ...more,
  };
}

export function results(parts: Part[], more: Partial<Results> = {}): Results {
  return {
    schemaVersion: 1,
    machine: {
      processor: "Some CPU",
      cores: 2,
      memory: 8 * 1024 ** 3,
      kernel: "6.1",
      system: "Debian",
      fileSystem: "tmpfs",
    },
    programs: [],
    parts,
    ...more,
  };
}
