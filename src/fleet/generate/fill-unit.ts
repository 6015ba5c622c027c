/**
 * A unit of systemd's whose placeholders (`@NAME@`) are words, quoted as systemd.service(5) reads
 * them. A line that ends with an empty one ends without blanks.
 * @throws Error for a placeholder without words: that is a mistake of ours
 */
export function fillUnit(unit: string, words: Readonly<Record<string, readonly string[]>>): string {
  return unit
    .replace(/@([A-Z]+)@/g, (_, name: string) => {
      const found = words[name];
      if (found === undefined) throw new Error(`the template has @${name}@, which is unknown`);
      return found.map(unitWord).join(" ");
    })
    .replace(/ +/g, " ")
    .replace(/ +$/gm, "");
}

function unitWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped)) return escaped;
  const quoted = escaped.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
  return `"${quoted}"`;
}
