import * as v from "valibot";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { parseToml } from "../../host/parse-toml.js";
import { isRecord } from "../../host/read-json.js";
import { explainIssue } from "../document.js";
import { normalizeLocation, normalizePrefix } from "./location.js";
import { parseProxy } from "./proxy.js";
import {
  type PullRule,
  type RegistryTable,
  registriesConfSchema,
  type ShortNameMode,
} from "./registries-conf-schema.js";
import { namesHost, parseRegistryReference } from "./repository.js";

/** A `[[registry.mirror]]` of registries.conf(5), "Remapping and mirroring registries". */
export interface MirrorEntry {
  readonly location: string;
  readonly isInsecure: boolean;
  /** `mirror-by-digest-only` of its registry is in it. */
  readonly pulls: PullRule;
  readonly proxy: URL | undefined;
}

/** A `[[registry]]` of registries.conf(5), "Namespaced [[registry]] settings". */
export interface RegistryEntry {
  /** `HOST[:PORT][/NAMESPACE…]` or `*.HOST`. */
  readonly prefix: string;
  /** Undefined where names stay as they are. */
  readonly location: string | undefined;
  readonly isInsecure: boolean;
  readonly isBlocked: boolean;
  readonly mirrors: readonly MirrorEntry[];
  readonly proxy: URL | undefined;
  /** The file it is from, for messages. */
  readonly file: string;
}

/** What one file says; undefined is what it does not speak of. */
export interface RegistriesConfFile {
  readonly file: string;
  readonly registries: readonly RegistryEntry[];
  readonly searchRegistries: readonly string[] | undefined;
  readonly shortNameMode: ShortNameMode | undefined;
  /** By short name; an empty target erases what earlier files have. */
  readonly aliases: ReadonlyMap<string, string>;
}

/**
 * Parses a file in version 2 of registries.conf(5). Keys that it does not know are passed over:
 * they are other programs'.
 * @param file its path, for messages
 * @throws StageError CONFIG
 */
export function parseRegistriesConf(toml: string, file: string): RegistriesConfFile {
  const outcome = parseToml(toml);
  if (outcome.kind === "fault") throw wrong(file, `line ${outcome.line}: ${outcome.reason}`);
  const { document } = outcome;
  refuseVersion1(document, file);
  const result = v.safeParse(registriesConfSchema, document, { abortEarly: true });
  if (!result.success) throw wrong(file, explainIssue(result.issues[0]));
  const { output } = result;
  const registries = output.registry.map((registry) => entryOf(registry, file));
  refuseContradictions(registries, file);
  return {
    file,
    registries: firstOfEach(registries),
    searchRegistries: output["unqualified-search-registries"]?.map((name) => host(name, file)),
    shortNameMode: output["short-name-mode"],
    aliases: new Map(Object.entries(output.aliases).map((pair) => alias(pair, file))),
  };
}

/** `[registries.search]`, `[registries.insecure]` and `[registries.block]` were version 1. */
function refuseVersion1(document: unknown, file: string): void {
  const registries = isRecord(document) ? document["registries"] : undefined;
  if (!isRecord(registries)) return;
  const table = ["search", "insecure", "block"].find((name) => name in registries);
  if (table === undefined) return;
  const what = `[registries.${table}] is version 1 of the format, which is not supported`;
  throw new StageError("CONFIG", `${printable(file)}: ${what}`, {
    hint: "write it in version 2, with unqualified-search-registries and [[registry]], or name another file with --registries-conf",
  });
}

function entryOf(registry: RegistryTable, file: string): RegistryEntry {
  const called = registry.prefix || registry.location;
  const what = `registry "${called}"`;
  if (called === "") throw wrong(file, "a registry has neither a prefix nor a location");
  if (registry["pull-from-mirror"] !== "") {
    throw wrong(file, `${what}: pull-from-mirror belongs into [[registry.mirror]]`);
  }
  const isDigestOnly = registry["mirror-by-digest-only"];
  const prefix = inFile(file, () => normalizePrefix(called));
  const mirrors = registry.mirror.map((mirror) => {
    const pulls = mirror["pull-from-mirror"];
    if (mirror.location === "") throw wrong(file, `${what}: a mirror has no location`);
    if (isDigestOnly && pulls !== undefined) {
      throw wrong(file, `${what} has both mirror-by-digest-only and pull-from-mirror`);
    }
    return {
      location: inFile(file, () => normalizeLocation(mirror.location)),
      isInsecure: mirror.insecure,
      pulls: isDigestOnly ? "digest-only" : (pulls ?? "all"),
      proxy: proxyOf(mirror, { called: mirror.location, file }),
    } as const;
  });
  const location = registry.location || undefined;
  return {
    prefix,
    location: location && inFile(file, () => normalizeLocation(location)),
    isInsecure: registry.insecure,
    isBlocked: registry.blocked,
    mirrors,
    proxy: proxyOf(registry, { called, file }),
    file,
  };
}

function proxyOf(
  { proxy }: { proxy: string },
  { called, file }: { called: string; file: string },
): URL | undefined {
  if (proxy === "") return undefined;
  return inFile(file, () => parseProxy(proxy, `the proxy of "${called}"`));
}

/** One place can't be safe and unsafe, or open and closed, in the same file. */
function refuseContradictions(registries: readonly RegistryEntry[], file: string): void {
  const seen = new Map<string, RegistryEntry>();
  for (const entry of registries) {
    const place = entry.location ?? entry.prefix;
    const other = seen.get(place) ?? entry;
    seen.set(place, other);
    const key =
      entry.isInsecure !== other.isInsecure
        ? "insecure"
        : entry.isBlocked !== other.isBlocked
          ? "blocked"
          : undefined;
    if (key) throw wrong(file, `registry "${place}" is there twice, and they differ in ${key}`);
  }
}

/** Of tables with the same prefix in one file the first counts. */
function firstOfEach(registries: readonly RegistryEntry[]): readonly RegistryEntry[] {
  const byPrefix = new Map<string, RegistryEntry>();
  for (const entry of registries) {
    if (!byPrefix.has(entry.prefix)) byPrefix.set(entry.prefix, entry);
  }
  return [...byPrefix.values()];
}

function host(name: string, file: string): string {
  const location = inFile(file, () => normalizeLocation(name));
  if (!location.includes("/")) return location;
  throw wrong(file, `unqualified-search-registries: "${name}" should be HOST[:PORT]`);
}

function alias([name, target]: [string, string], file: string): [string, string] {
  const what = `alias "${name}"`;
  if (namesHost(name) || hasTail(name)) throw wrong(file, `${what} is no short name`);
  inFile(file, () => parseRegistryReference(name));
  if (target === "") return [name, target];
  if (!namesHost(target)) throw wrong(file, `${what}: "${target}" does not begin with a host`);
  if (hasTail(target)) throw wrong(file, `${what}: "${target}" has a tag or a digest`);
  inFile(file, () => parseRegistryReference(target));
  return [name, target];
}

function hasTail(name: string): boolean {
  return /[:@]/.test(name.slice(name.lastIndexOf("/") + 1)) || name.includes("@");
}

/** What `parse` refuses as the fault of `file`. */
function inFile<Value>(file: string, parseValue: () => Value): Value {
  try {
    return parseValue();
  } catch (error) {
    if (error instanceof StageError) throw wrong(file, error.message);
    throw error;
  }
}

function wrong(file: string, what: string): StageError {
  return new StageError("CONFIG", `${printable(file)}: ${printable(what)}`, {
    hint: "mend the file (containers-registries.conf(5) describes it), or name another one with --registries-conf",
  });
}
