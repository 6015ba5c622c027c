import type { OptionName, OptionValues } from "./options.js";

/** The options of a command line as words again, but for some. */
export function optionWords(
  values: OptionValues,
  { without }: { readonly without: readonly OptionName[] },
): readonly string[] {
  const left = Object.entries(values).filter(([name]) => !without.some((each) => each === name));
  return left.flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    return [value].flat().map((text) => `--${name}=${text}`);
  });
}
