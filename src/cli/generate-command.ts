import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { nearest } from "../config/nearest.js";
import { fromSystemError, StageError } from "../errors.js";
import { type GeneratedFile, generate } from "../fleet/generate/generate.js";
import { type Template, templates } from "../fleet/generate/templates.js";
import { printable } from "../host/byte-string.js";
import { replaceFile } from "../host/replace-file.js";
import { checkInstanceName } from "../launch/runtimes/apptainer.js";
import { gcOptions } from "./gc-command.js";
import { type CommandLine, numberOption, type OptionValues } from "./options.js";
import { writeResult } from "./output.js";
import { allowedDisks } from "./staging-options.js";

/** `stage-rootfs generate WHAT`: prints a file for another system, or writes it. */
export async function generateCommand({ values, words, rest }: CommandLine): Promise<number> {
  const [what, ...images] = words;
  if (what === undefined) {
    await writeResult(listText());
    return 0;
  }
  const template = templates.find(({ name }) => name === what);
  if (!template) throw unknown(what);
  checkWords(template, { images, rest });
  const files = generate(template, {
    program: [process.execPath, resolve(process.argv[1] ?? "stage-rootfs")],
    options: optionsFor(template, values),
    limits: limitsOf(values),
    images,
    command: rest,
  });
  if (values.output === undefined) await writeResult(files.map(shown).join("\n"));
  else writeFiles(files, { path: resolve(values.output), isDirectory: files.length > 1 });
  return 0;
}

function listText(): string {
  return templates.map(({ name, summary }) => `${name.padEnd(18)} ${summary}\n`).join("");
}

function unknown(what: string): StageError {
  const names = templates.map(({ name }) => name);
  return new StageError("USAGE", `there is no ${printable(what)} to generate`, {
    hint: `the nearest one is ${nearest(what, names)}; there are ${names.join(", ")}`,
  });
}

/** @throws StageError USAGE */
function checkWords(
  { name, words }: Template,
  { images, rest }: { images: readonly string[]; rest: readonly string[] | undefined },
): void {
  const most = { none: 0, one: 1, many: Number.POSITIVE_INFINITY }[words.images];
  const extra = images[most];
  if (extra !== undefined) {
    const hint = most === 0 ? "it takes no image" : "it takes one image";
    throw new StageError("USAGE", `one word too many for ${name}: "${printable(extra)}"`, { hint });
  }
  const blank = most > 1 ? images.find((image) => /\s/.test(image)) : undefined;
  if (blank !== undefined) {
    throw new StageError("USAGE", `${name} takes no image with blanks: "${printable(blank)}"`);
  }
  if (rest === undefined || (words.images === "one" && words.command)) return;
  throw new StageError("USAGE", `${name} runs no command in an image`, {
    hint: "stage-rootfs generate sbatch IMAGE -- CMD... makes a job that does",
  });
}

/** Options of gc: what limits a cache. */
const limiting = ["max-size", "min-free", "max-age", "min-age", "keep-last"] as const;

/** Those that are filled in as they are, with paths made absolute: the files run elsewhere. */
const filled = ["cache-dir", "config", "allow-disk", "authfile", "deadline", "instance"] as const;

/** @throws StageError USAGE */
function optionsFor(template: Template, values: OptionValues): Readonly<Record<string, string>> {
  const given = [...filled, ...limiting].filter((name) => values[name] !== undefined);
  const odd = given.find((name) => {
    const isLimit = limiting.some((each) => each === name);
    return isLimit ? template.limits.length === 0 : template.options[name] === undefined;
  });
  if (odd !== undefined) {
    const names = [
      ...Object.keys(template.options),
      ...(template.limits.length > 0 ? limiting : []),
    ];
    throw new StageError("USAGE", `--${odd} is no option of generate ${template.name}`, {
      hint: `it takes ${names.map((name) => `--${name}`).join(", ")}, --output`,
    });
  }
  numberOption(values, "deadline");
  if (values.instance !== undefined) checkInstanceName(values.instance);
  const texts = {
    ...pathsOf(values),
    "allow-disk": allowedDisks(values)?.join(","),
    deadline: values.deadline,
    instance: values.instance,
  };
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  );
}

function pathsOf({ "cache-dir": cache, config, authfile }: OptionValues) {
  const absolute = (path: string | undefined) => (path === undefined ? path : resolve(path));
  return { "cache-dir": absolute(cache), config: absolute(config), authfile: absolute(authfile) };
}

/** @throws StageError USAGE for what gc would not take */
function limitsOf(values: OptionValues): readonly string[] {
  gcOptions(values);
  return limiting.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
}

/** Several files are told apart as `systemctl cat` does it. */
function shown({ name, text, isExecutable }: GeneratedFile): string {
  return isExecutable ? text : `# /etc/systemd/system/${name}\n${text}`;
}

/** @throws StageError USAGE, NOT_FOUND, PERMISSION, NO_SPACE, NOT_WRITABLE */
function writeFiles(
  files: readonly GeneratedFile[],
  { path, isDirectory }: { readonly path: string; readonly isDirectory: boolean },
): void {
  try {
    checkKind(path, isDirectory);
    if (isDirectory) mkdirSync(path, { recursive: true });
    for (const { name, text, isExecutable } of files) {
      const file = isDirectory ? join(path, name) : path;
      replaceFile({ path: file, content: text });
      if (isExecutable) chmodSync(file, 0o755);
    }
  } catch (error) {
    throw fromSystemError(error, `write ${printable(path)}`);
  }
}

/**
 * A file takes the place of what stands there, which must not happen to a device.
 * @throws StageError USAGE
 */
function checkKind(path: string, isDirectory: boolean): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || (isDirectory ? found.isDirectory() : found.isFile())) return;
  const [kind, hint] = isDirectory
    ? ["directory", "name one for the units"]
    : ["file", "name one; without --output it is printed"];
  throw new StageError("USAGE", `--output ${printable(path)} is no ${kind}`, { hint });
}
