import { bytesOfText, displayPath, printable } from "../../host/byte-string.js";
import type { LaunchFault } from "./fault.js";
import type { Host } from "./host.js";
import { interpreterOf } from "./interpreter.js";
import type { Place, SandboxView } from "./sandbox-view.js";

/** What is to be started, and where. */
export interface CommandLook {
  /** The command's first word. */
  readonly name: string;
  readonly path: string | undefined;
  readonly workingDir: string;
  /** Whose programs the command is one of, for messages. */
  readonly whose: "the sandbox" | "this host";
  readonly view: SandboxView;
  readonly host: Host;
}

/** What keeps the command from being found as execvp(3) looks for it, or from being started. */
export function commandFault(look: CommandLook): LaunchFault | undefined {
  const candidates = candidatesOf(look);
  const places = candidates.map((candidate) => look.view.find(candidate));
  const at = places.findIndex((place) => isRunnable(place, look.host));
  if (at >= 0) return interpreterFault(candidates[at] ?? "", { ...look, depth: 0 });
  if (places.some(({ kind }) => kind === "unknown")) return undefined;
  // A directory of PATH that one may not enter has no commands; what was named is for others to say.
  if (look.name.includes("/") && places.some(({ kind }) => kind === "denied")) return undefined;
  const there = places.findIndex(({ kind }) => kind === "file" || kind === "directory");
  if (there < 0) return notFound(look, places[0]);
  const what = printable(candidates[there] ?? "");
  const isDirectory = places[there]?.kind === "directory";
  return {
    code: "COMMAND_NOT_EXECUTABLE",
    message: isDirectory ? `${what} is a directory, no command` : `${what} is not executable`,
    hint: isDirectory ? "name a program" : `run it with its interpreter: -- /bin/sh ${what}`,
  };
}

/** What execvp(3) takes where there is no PATH at all. */
const pathOfLibc = "/bin:/usr/bin";

function candidatesOf({ name, path = pathOfLibc, workingDir }: CommandLook): readonly string[] {
  const below = (directory: string, word: string) => {
    return word.startsWith("/") ? word : `${directory}/${word}`;
  };
  if (name === "") return [];
  if (name.includes("/")) return [below(workingDir, name)];
  // An empty part of PATH is the working directory.
  return path.split(":").map((directory) => below(below(workingDir, directory), name));
}

function isRunnable({ kind, onHost }: Place, host: Host): boolean {
  return kind === "file" && onHost !== undefined && host.may(onHost, "execute");
}

function notFound({ name, path, whose }: CommandLook, first: Place | undefined): LaunchFault {
  const code = "COMMAND_NOT_FOUND";
  if (name.includes("/") || name === "") {
    const message = `${whose} has no ${name === "" ? 'command ""' : printable(name)}`;
    return { code, message, hint: storeHint(first) ?? `give a command that ${whose} has` };
  }
  return {
    code,
    message: `${whose} has no command ${printable(name)}`,
    hint: `it was looked for in ${printable(path ?? pathOfLibc)}`,
  };
}

function storeHint(place: Place | undefined): string | undefined {
  if (!place?.path.startsWith("nix/store/")) return undefined;
  return `/${displayPath(place.path)} is not in the image: to have the host's Nix store, add --nix-store`;
}

/** How many interpreters of interpreters the kernel goes through. */
const deepest = 4;

function interpreterFault(
  file: string,
  look: CommandLook & { readonly depth: number },
): LaunchFault | undefined {
  const { view, host, workingDir, whose, depth } = look;
  const { onHost } = view.find(file);
  const interpreter = onHost === undefined ? undefined : interpreterOf(onHost, host);
  if (!interpreter || depth > deepest) return undefined;
  const { path, by } = interpreter;
  const place = view.find(path.startsWith("/") ? path : `${workingDir}/${path}`);
  if (place.kind === "unknown" || place.kind === "denied") return undefined;
  if (isRunnable(place, host)) {
    return by === "loader" ? undefined : interpreterFault(path, { ...look, depth: depth + 1 });
  }
  const state = place.kind === "missing" ? `${whose} does not have` : "is not executable";
  const needs = by === "script" ? "is a script for" : "needs";
  return {
    code: "INTERPRETER_MISSING",
    message: `${printable(file)} ${needs} ${displayPath(bytesOfText(path))}, which ${state}`,
    hint: interpreterHint(path, place),
  };
}

function interpreterHint(path: string, place: Place): string {
  if (path.endsWith("\r")) return "its first line ends as on Windows: take the \\x0d away";
  return storeHint(place) ?? "the image lacks it: add it to the image, or mount it with --ro-bind";
}
