import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { RegistriesConf } from "./registries-conf.js";
import { namesHost, parseRegistryReference, type RegistryReference } from "./repository.js";

/**
 * What a reference may stand for when it is looked up as registries.conf(5), "Short-Name Aliasing",
 * has it: a name without a host is an alias, or else is looked for in each of
 * `unqualified-search-registries`. A name with a host stands for itself.
 * @param text what follows `docker://`
 * @returns candidates in the order in which to try; never empty
 * @throws StageError USAGE for what is no reference, NOT_FOUND where nothing says what it stands
 * for, REFERENCE_AMBIGUOUS where there are several registries and `short-name-mode` is `enforcing`
 */
export function shortNameCandidates(
  text: string,
  conf: RegistriesConf,
): readonly RegistryReference[] {
  const itself = parseRegistryReference(text);
  if (namesHost(text)) return [itself];
  const [name = ""] = text.split(/[:@]/, 1);
  const tail = text.slice(name.length);
  const alias = conf.aliases.get(name);
  if (alias) return [parseRegistryReference(alias.value + tail)];
  const { value: registries, file } = conf.searchRegistries ?? { value: [], file: "" };
  const [first] = registries;
  if (first === undefined) {
    throw new StageError("NOT_FOUND", `nothing says which registry has ${printable(text)}`, {
      hint: "write docker://HOST/NAME, or add it to [aliases] or a registry to unqualified-search-registries in registries.conf",
    });
  }
  if (conf.shortNameMode === "enforcing" && registries.length > 1) {
    const where = registries.join(", ");
    const what = `${printable(text)} may be at ${where}, and ${printable(file)} says not to guess`;
    throw new StageError("REFERENCE_AMBIGUOUS", what, {
      hint: `write docker://HOST/NAME, for instance docker://${first}/${printable(text)}`,
    });
  }
  return registries.map((registry) => parseRegistryReference(`${registry}/${text}`));
}
