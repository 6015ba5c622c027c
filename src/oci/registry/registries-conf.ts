import { join } from "node:path";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { listConfigDirectory, readConfigFile } from "../../host/config-file.js";
import type { ContainersPlaces } from "./containers-places.js";
import {
  parseRegistriesConf,
  type RegistriesConfFile,
  type RegistryEntry,
} from "./registries-conf-file.js";
import type { ShortNameMode } from "./registries-conf-schema.js";

/** A value and the file it is from, for messages. */
export interface FromFile<Value> {
  readonly value: Value;
  readonly file: string;
}

/** What all files of registries.conf(5) say together. */
export interface RegistriesConf {
  /** One for each prefix, sorted by it. */
  readonly registries: readonly RegistryEntry[];
  readonly searchRegistries: FromFile<readonly string[]> | undefined;
  readonly shortNameMode: ShortNameMode;
  /** `HOST/NAME` by short name. */
  readonly aliases: ReadonlyMap<string, FromFile<string>>;
}

export interface RegistriesConfOptions {
  /** `--registries-conf FILE`: this file alone counts. */
  readonly file: string | undefined;
  /** `CONTAINERS_REGISTRIES_CONF` and `CONTAINERS_REGISTRIES_CONF_OVERRIDE` are looked at. */
  readonly environment: NodeJS.ProcessEnv;
  readonly places: ContainersPlaces;
  /** Whether the aliases count that podman wrote down (registries.conf(5), "Short-Name Aliasing: Modes"). */
  readonly withRecordedAliases: boolean;
}

const mainFile = "registries.conf";
const recordedAliases = "short-name-aliases.conf";

/**
 * Loads registries.conf(5), version 2, and the files beside it (registries.conf.d(5),
 * "Configuration precedence"). Without any the result is empty.
 * @throws StageError CONFIG where a file is wrong, or one that was asked for is missing
 */
export function loadRegistriesConf(options: RegistriesConfOptions): RegistriesConf {
  const { file, environment } = options;
  const chosen = file ?? (environment["CONTAINERS_REGISTRIES_CONF"] || undefined);
  const override = environment["CONTAINERS_REGISTRIES_CONF_OVERRIDE"] || undefined;
  const asker = file === undefined ? "CONTAINERS_REGISTRIES_CONF" : "--registries-conf";
  const main = chosen === undefined ? defaultFiles(options.places) : [required(chosen, asker)];
  const last =
    file === undefined && override !== undefined
      ? [required(override, "CONTAINERS_REGISTRIES_CONF_OVERRIDE")]
      : [];
  const recorded =
    options.withRecordedAliases && chosen === undefined
      ? onlyAliases(optional(join(options.places.cache, recordedAliases)))
      : [];
  return mergeRegistriesConf([...main, ...last, ...recorded]);
}

/** The user's file and what is beside it; without it the machine's, and what is beside either. */
function defaultFiles(places: ContainersPlaces): readonly RegistriesConfFile[] {
  const own = optional(join(places.user, mainFile));
  if (own.length > 0) return [...own, ...dropIns(places.user)];
  const machine = optional(join(places.system, mainFile));
  return [...machine, ...dropIns(places.system), ...dropIns(places.user)];
}

function dropIns(place: string): readonly RegistriesConfFile[] {
  const directory = join(place, `${mainFile}.d`);
  const names = listConfigDirectory(directory) ?? [];
  return names
    .filter((name) => name.endsWith(".conf"))
    .flatMap((name) => optional(join(directory, name)));
}

function optional(path: string): readonly RegistriesConfFile[] {
  const text = readConfigFile(path);
  return text === undefined ? [] : [parseRegistriesConf(text, path)];
}

function required(path: string, asker: string): RegistriesConfFile {
  const text = readConfigFile(path);
  if (text !== undefined) return parseRegistriesConf(text, path);
  throw new StageError("CONFIG", `${printable(path)}, which ${asker} names, is not there`, {
    hint: `correct ${asker}, or leave it out`,
  });
}

function onlyAliases(files: readonly RegistriesConfFile[]): readonly RegistriesConfFile[] {
  return files.map(({ file, aliases }) => ({
    file,
    aliases,
    registries: [],
    searchRegistries: undefined,
    shortNameMode: undefined,
  }));
}

/** Later files have the last word: on each prefix, each alias, and each other key as a whole. */
export function mergeRegistriesConf(files: readonly RegistriesConfFile[]): RegistriesConf {
  const registries = new Map<string, RegistryEntry>();
  const aliases = new Map<string, FromFile<string>>();
  let searchRegistries: RegistriesConf["searchRegistries"];
  let shortNameMode: ShortNameMode = "permissive";
  for (const one of files) {
    const { file } = one;
    for (const entry of one.registries) registries.set(entry.prefix, entry);
    for (const [name, value] of one.aliases) {
      if (value === "") aliases.delete(name);
      else aliases.set(name, { value, file });
    }
    if (one.searchRegistries) searchRegistries = { value: one.searchRegistries, file };
    shortNameMode = one.shortNameMode ?? shortNameMode;
  }
  const sorted = [...registries.values()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  return { registries: sorted, searchRegistries, shortNameMode, aliases };
}
