/** One way to authenticate that a server offers (RFC 9110, 11.3). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By name in lower case. Of two with one name, which must not be, the first counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** More than Node takes for all headers of a response together. */
const longestHeader = 65_536;

/**
 * Parses WWW-Authenticate (RFC 9110, 11.6.1): any number of challenges, in one header or in several.
 * What is malformed is passed over up to the next comma, and so is a token68, which no scheme of
 * registries has. Takes time in proportion to the length, and throws nothing.
 */
export function parseChallenges(
  header: string | readonly string[] | undefined,
): readonly Challenge[] {
  const headers = typeof header === "string" ? [header] : (header ?? []);
  return headers.flatMap((text) => challengesIn(elementsOf(text.slice(0, longestHeader))));
}

const scheme = /^([!#$%&'*+.^`|~\w-]+)(?:[ \t]+(.*))?$/s;

/** A value that should be quoted, such as a bare URL, is taken too: some servers forget it. */
const parameter =
  /^([!#$%&'*+.^`|~\w-]+)[ \t]*=[ \t]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s",=][^\s",]*))$/s;

/** An element is a parameter of the challenge before it, or a scheme, maybe with a parameter. */
function challengesIn(elements: readonly string[]): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const element of elements) {
    const isParameter = parameter.test(element);
    const [, name, rest = ""] = isParameter ? [] : (scheme.exec(element) ?? []);
    if (name !== undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    const parameters = challenges.at(-1)?.parameters;
    if (parameters) addParameter(parameters, isParameter ? element : rest);
  }
  return challenges;
}

function addParameter(parameters: Map<string, string>, text: string): void {
  const [, name, quoted, bare] = parameter.exec(text) ?? [];
  const key = name?.toLowerCase();
  if (key === undefined || parameters.has(key)) return;
  parameters.set(key, bare ?? (quoted ?? "").replace(/\\(.)/gs, "$1"));
}

/** What stands between the commas that are not in quotes. */
function elementsOf(header: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < header.length; at += 1) {
    const character = header[at];
    if (isQuoted && character === "\\") {
      at += 1;
    } else if (character === '"') {
      isQuoted = !isQuoted;
    } else if (character === "," && !isQuoted) {
      elements.push(header.slice(start, at));
      start = at + 1;
    }
  }
  elements.push(header.slice(start));
  return elements.map((element) => element.trim());
}
