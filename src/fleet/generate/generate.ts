import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fillScript } from "./fill-script.js";
import { fillUnit } from "./fill-unit.js";
import type { Template } from "./templates.js";

/** What is filled in; the template's own values stand for what is missing. */
export interface GenerateOptions {
  /** The Node that runs the program, and the program's path. */
  readonly program: readonly [node: string, script: string];
  /** By the names of options, without dashes; each has to be one of the template's. */
  readonly options?: Readonly<Record<string, string>>;
  /** What a cache is shrunk to, as words for gc. Default: the template's. */
  readonly limits?: readonly string[];
  readonly images?: readonly string[];
  /** What runs in the image. */
  readonly command?: readonly string[] | undefined;
}

export interface GeneratedFile {
  readonly name: string;
  readonly text: string;
  readonly isExecutable: boolean;
}

/** The files of a template, filled in. */
export function generate(template: Template, options: GenerateOptions): readonly GeneratedFile[] {
  const files = template.files.map((name) => ({ name, text: templateText(name) }));
  return files.map(({ name, text }) => {
    if (!name.endsWith(".sh"))
      return { name, text: fillUnit(text, unitWords(options)), isExecutable: false };
    const filling = { variables: variablesOf(template, options), words: options.command };
    return { name: template.name, text: fillScript(text, filling), isExecutable: true };
  });
}

function templateText(name: string): string {
  const description = createRequire(import.meta.url).resolve("stage-rootfs/package.json");
  return readFileSync(join(dirname(description), "templates", name), "utf8");
}

function variablesOf(
  { options: known, limits: limited, words }: Template,
  { program: [node, script], options = {}, limits = [], images = [] }: GenerateOptions,
): Readonly<Record<string, string>> {
  const given = Object.entries(options).flatMap(([option, value]) =>
    (known[option] ?? []).map((variable) => [variable, value] as const),
  );
  const shrinking = limits.length === 0 ? [] : limited;
  const [image] = images;
  const named = words.images === "none" || image === undefined ? [] : [words.variable];
  return {
    NODE: node,
    STAGE_ROOTFS: script,
    ...Object.fromEntries(given),
    ...Object.fromEntries(shrinking.map((variable) => [variable, limits.join(" ")])),
    ...Object.fromEntries(named.map((variable) => [variable, images.join(" ")])),
  };
}

/** Where images are listed unless they are given. */
const imageList = ["--file", "/etc/stage-rootfs/images.txt"];

function unitWords({ program, options = {}, limits = [], images = [] }: GenerateOptions) {
  return {
    PROGRAM: program,
    CACHE: ["cache-dir", "config"].flatMap((option) => {
      const value = options[option];
      return value === undefined ? [] : [`--${option}`, value];
    }),
    ALLOWED: (options["allow-disk"] ?? "")
      .split(",")
      .flatMap((kind) => (kind === "" ? [] : ["--allow-disk", kind])),
    LIMITS: limits.length > 0 ? limits : ["--min-free", "10%"],
    IMAGES: images.length > 0 ? images : imageList,
  };
}
