import * as v from "valibot";

/** For which references a mirror is asked. */
export type PullRule = "all" | "digest-only" | "tag-only";

export type ShortNameMode = "enforcing" | "permissive" | "disabled";

/** A `[[registry.mirror]]` as it is written; what is left out is empty or false. */
interface MirrorTable {
  readonly location: string;
  readonly insecure: boolean;
  readonly "pull-from-mirror": PullRule | undefined;
  readonly proxy: string;
}

/** A `[[registry]]` as it is written. */
export interface RegistryTable {
  readonly prefix: string;
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly "mirror-by-digest-only": boolean;
  readonly "pull-from-mirror": string;
  readonly proxy: string;
  readonly mirror: readonly MirrorTable[];
}

/** What is read of a file in version 2 of registries.conf(5). */
interface RegistriesConfDocument {
  readonly "unqualified-search-registries"?: readonly string[] | undefined;
  readonly "short-name-mode": ShortNameMode | undefined;
  readonly aliases: Readonly<Record<string, string>>;
  readonly registry: readonly RegistryTable[];
}

/** One of these words; an empty one is none. */
function oneOf<const Value extends string>(
  values: readonly Value[],
): v.GenericSchema<unknown, Value | undefined> {
  return v.pipe(
    v.optional(v.string(), ""),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const found = values.find((value) => value === dataset.value);
      if (found !== undefined || dataset.value === "") return found;
      addIssue({ message: `should be one of ${values.map((value) => `"${value}"`).join(", ")}` });
      return NEVER;
    }),
  );
}

const text = v.optional(v.string(), "");
const flag = v.optional(v.boolean(), false);
const pullRule = oneOf(["all", "digest-only", "tag-only"]);

const mirrorSchema = v.object({
  location: text,
  insecure: flag,
  "pull-from-mirror": pullRule,
  proxy: text,
});

const registrySchema = v.object({
  prefix: text,
  location: text,
  insecure: flag,
  blocked: flag,
  "mirror-by-digest-only": flag,
  "pull-from-mirror": text,
  proxy: text,
  mirror: v.optional(v.array(mirrorSchema), []),
});

/** Keys that are not in it are dropped. */
export const registriesConfSchema: v.GenericSchema<unknown, RegistriesConfDocument> = v.object({
  "unqualified-search-registries": v.optional(v.array(v.string())),
  "short-name-mode": oneOf(["enforcing", "permissive", "disabled"]),
  aliases: v.optional(v.record(v.string(), v.string()), {}),
  registry: v.optional(v.array(registrySchema), []),
});
