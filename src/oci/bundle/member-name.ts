/** How often a link may lead to another before that counts as a loop. */
const linkLimit = 16;

/** What stands under a member's name in an archive. */
export type Member<Content> =
  | { readonly kind: "content"; readonly content: Content }
  | { readonly kind: "link"; readonly target: string };

/**
 * A member's name in one spelling: no leading `/` or `./`, no empty or `.` parts, `..` taken back.
 * @returns undefined for a name that leads out of the archive
 */
export function normalizeMemberName(name: string): string | undefined {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** The name that a symlink called `name` leads to. */
export function symlinkTarget(name: string, target: string): string | undefined {
  if (target.startsWith("/")) return undefined;
  const parent = name.slice(0, name.lastIndexOf("/") + 1);
  return normalizeMemberName(parent + target);
}

/** Looks a member up, following links from one to another. */
export function lookUp<Content>(
  members: ReadonlyMap<string, Member<Content>>,
  name: string,
): Content | undefined {
  let at = normalizeMemberName(name);
  for (let links = 0; links <= linkLimit && at !== undefined; links++) {
    const member = members.get(at);
    if (member === undefined) return undefined;
    if (member.kind === "content") return member.content;
    at = member.target;
  }
  return undefined;
}
