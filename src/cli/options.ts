import { parseArgs } from "node:util";
import { nearest } from "../config/nearest.js";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { parseSize } from "../host/quantity.js";

/** The values of all options of all commands; those not given are missing. */
export interface OptionValues {
  readonly "cache-dir"?: string;
  readonly config?: string;
  readonly target?: string;
  readonly shared?: boolean;
  readonly "trust-owner"?: readonly string[];
  readonly "allow-disk"?: readonly string[];
  readonly lab?: string;
  readonly platform?: string;
  readonly mount?: readonly string[];
  readonly "nix-store"?: boolean;
  readonly owner?: string;
  readonly "keep-setuid"?: boolean;
  readonly "file-digests"?: string;
  readonly jobs?: string;
  readonly wait?: string;
  readonly deadline?: string;
  readonly fsync?: boolean;
  readonly "no-fsync"?: boolean;
  readonly gc?: boolean;
  readonly lease?: string;
  readonly "max-layers"?: string;
  readonly "max-document"?: string;
  readonly "max-entries"?: string;
  readonly "max-unpacked"?: string;
  readonly "max-file"?: string;
  readonly "max-record"?: string;
  readonly "max-depth"?: string;
  readonly "max-ratio"?: string;
  readonly authfile?: string;
  readonly "registries-conf"?: string;
  readonly "cert-dir"?: string;
  readonly "insecure-registry"?: readonly string[];
  readonly "short-names"?: boolean;
  readonly "allow-foreign-layers"?: boolean;
  readonly offline?: boolean;
  readonly "max-staleness"?: string;
  readonly file?: readonly string[];
  readonly retry?: string;
  readonly budget?: string;
  readonly pack?: string;
  readonly from?: string;
  readonly nice?: boolean;
  readonly nodes?: string;
  readonly partition?: string;
  readonly "fan-in"?: string;
  readonly "start-within"?: string;
  readonly "node-program"?: string;
  readonly via?: string;
  readonly share?: string;
  readonly leases?: boolean;
  readonly all?: boolean;
  readonly force?: boolean;
  readonly bind?: readonly string[];
  readonly "ro-bind"?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly input?: readonly string[];
  readonly output?: string;
  readonly env?: readonly string[];
  readonly chdir?: string;
  readonly user?: string;
  readonly "uid-0"?: boolean;
  readonly "cap-drop"?: readonly string[];
  readonly hostname?: string;
  readonly network?: string;
  readonly writable?: boolean;
  readonly gpu?: string;
  readonly tty?: boolean;
  readonly timeout?: string;
  readonly grace?: string;
  readonly runtime?: string;
  readonly bwrap?: boolean;
  readonly apptainer?: boolean;
  readonly podman?: boolean;
  readonly docker?: boolean;
  readonly native?: boolean;
  readonly "native-path"?: string;
  readonly instance?: string;
  readonly "max-size"?: string;
  readonly "min-free"?: string;
  readonly "max-age"?: string;
  readonly "keep-last"?: string;
  readonly "min-age"?: string;
  readonly slurm?: boolean;
  readonly "slurm-arg"?: readonly string[];
  readonly attach?: string;
  readonly sbatch?: boolean;
  readonly script?: boolean;
  readonly "dry-run"?: boolean;
  readonly repair?: boolean;
  readonly sample?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly progress?: string;
  readonly trace?: string;
  readonly metrics?: string;
  readonly quiet?: boolean;
  readonly help?: boolean;
  readonly version?: boolean;
}

export type OptionName = keyof OptionValues;

/** The options that take one value. */
export type ValueOption = {
  [Name in OptionName]-?: NonNullable<OptionValues[Name]> extends string ? Name : never;
}[OptionName];

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;

const forms = {
  "cache-dir": text,
  config: text,
  target: text,
  shared: flag,
  "trust-owner": texts,
  "allow-disk": texts,
  lab: text,
  platform: text,
  mount: texts,
  "nix-store": flag,
  owner: text,
  "keep-setuid": flag,
  "file-digests": text,
  jobs: text,
  wait: text,
  deadline: text,
  fsync: flag,
  "no-fsync": flag,
  gc: flag,
  lease: text,
  "max-layers": text,
  "max-document": text,
  "max-entries": text,
  "max-unpacked": text,
  "max-file": text,
  "max-record": text,
  "max-depth": text,
  "max-ratio": text,
  authfile: text,
  "registries-conf": text,
  "cert-dir": text,
  "insecure-registry": texts,
  "short-names": flag,
  "allow-foreign-layers": flag,
  offline: flag,
  "max-staleness": text,
  file: { ...texts, short: "f" },
  retry: text,
  budget: text,
  pack: text,
  from: text,
  nice: flag,
  nodes: text,
  partition: text,
  "fan-in": text,
  "start-within": text,
  "node-program": text,
  via: text,
  share: text,
  leases: flag,
  all: flag,
  force: flag,
  bind: texts,
  "ro-bind": texts,
  tmpfs: texts,
  input: texts,
  output: text,
  env: texts,
  chdir: text,
  user: text,
  "uid-0": flag,
  "cap-drop": texts,
  hostname: text,
  network: text,
  writable: flag,
  gpu: text,
  tty: { ...flag, short: "t" },
  timeout: text,
  grace: text,
  runtime: text,
  bwrap: flag,
  apptainer: flag,
  podman: flag,
  docker: flag,
  native: flag,
  "native-path": text,
  instance: text,
  "max-size": text,
  "min-free": text,
  "max-age": text,
  "keep-last": text,
  "min-age": text,
  slurm: flag,
  "slurm-arg": texts,
  attach: text,
  sbatch: flag,
  script: flag,
  "dry-run": flag,
  repair: flag,
  sample: text,
  seed: text,
  json: flag,
  progress: text,
  trace: text,
  metrics: text,
  quiet: { ...flag, short: "q" },
  help: { ...flag, short: "h" },
  version: flag,
} as const satisfies Readonly<Record<OptionName, object>>;

/** A parsed command line. */
export interface CommandLine {
  readonly values: OptionValues;
  /** What is no option, up to `--`. */
  readonly words: readonly string[];
  /** What follows `--`; undefined without one. */
  readonly rest: readonly string[] | undefined;
  /** How long another process was waited for already, in milliseconds. Default: 0. */
  readonly waitedMs?: number;
}

/** @throws StageError USAGE */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const terminator = argv.indexOf("--");
  const args = terminator < 0 ? argv : argv.slice(0, terminator);
  try {
    const { values, positionals } = parseArgs({
      args: withNumbersJoined(args),
      options: forms,
      allowPositionals: true,
    });
    const rest = terminator < 0 ? undefined : argv.slice(terminator + 1);
    return { values, words: positionals, rest };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [, name = ""] =
      /^Option '.*--([\w-]+)(?: <value>)?' argument is ambiguous/.exec(error.message) ?? [];
    if (name !== "") throw noValue(name, args.find(isOptionAfter(`--${name}`)));
    const [, empty = ""] =
      /^Option '.*--([\w-]+) <value>' argument missing/.exec(error.message) ?? [];
    if (empty !== "") throw noValue(empty);
    const [, odd = ""] = /^Unknown option '--([\w-]+)'/.exec(error.message) ?? [];
    if (odd !== "") throw unknownOption(odd);
    // Node's message goes on with advice that does not fit here.
    const [sentence = ""] = error.message.split(/\. |\n/);
    throw new StageError("USAGE", printable(sentence.replace(/\.$/, "")), {
      hint: "see stage-rootfs --help",
    });
  }
}

/** Has a negative number be the value of the option before it, which can say what it takes. */
function withNumbersJoined(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of args) {
    const last = joined.at(-1);
    if (last !== undefined && /^-[\d.]/.test(word) && takesValue(last)) {
      joined.splice(-1, 1, `${last}=${word}`);
    } else joined.push(word);
  }
  return joined;
}

function takesValue(word: string): boolean {
  return Object.entries(forms).some(
    ([name, { type }]) => type === "string" && word === `--${name}`,
  );
}

function unknownOption(name: string): StageError {
  const near = nearest(name, Object.keys(forms)) ?? "help";
  return new StageError("USAGE", `there is no option --${name}`, {
    hint: `the nearest one is --${near}; see stage-rootfs --help`,
  });
}

/** Finds the word that stands in the place of an option's value, and can't be one. */
function isOptionAfter(option: string) {
  return (word: string, i: number, all: readonly string[]): boolean =>
    word.startsWith("-") && all[i - 1] === option;
}

function noValue(name: string, next?: string): StageError {
  if (next === undefined) {
    return new StageError("USAGE", `--${name} takes a value, and none follows`, {
      hint: "see stage-rootfs --help",
    });
  }
  const word = printable(next);
  return new StageError("USAGE", `--${name} takes a value, and ${word} looks like an option`, {
    hint: `if it is the value, write --${name}=${word}; see stage-rootfs --help`,
  });
}

/**
 * A whole number given as an option.
 * @throws StageError USAGE
 */
export function numberOption(values: OptionValues, name: ValueOption): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new StageError("USAGE", `--${name} takes a whole number, not "${printable(text)}"`);
}

/**
 * A size or count given as an option, with K, M, G or T for powers of 1024; undefined when it was
 * not given.
 * @throws StageError USAGE
 */
export function sizeOption(values: OptionValues, name: ValueOption): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new StageError("USAGE", `--${name} takes a whole number, not "${printable(text)}"`, {
    hint: "K, M, G and T may follow it, for powers of 1024",
  });
}

/**
 * An option with a choice of words.
 * @throws StageError USAGE
 */
export function choiceOption<Word extends string>(
  values: OptionValues,
  option: { name: ValueOption; words: readonly Word[] },
): Word | undefined {
  const { name, words } = option;
  const text = values[name];
  const word = words.find((w) => w === text);
  if (text === undefined || word !== undefined) return word;
  throw new StageError("USAGE", `--${name} takes ${words.join(", ")}, not "${printable(text)}"`);
}
