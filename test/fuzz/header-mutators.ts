import { blockSize } from "../../src/oci/tar/header.js";
import { gnuLong, member, paxMember } from "../support/tar-blocks.js";
import { byteMutators } from "./byte-mutators.js";
import type { Dice } from "./dice.js";
import type { Change, Mutator, MutatorOptions, Mutators } from "./mutator.js";
import { headersOf, nameAt, repaired } from "./tar-headers.js";
import { type Field, fields, hostileNames, paxKeywords, paxValues, types } from "./tar-values.js";

/** For tar archives: what knows of members and header fields. All checksums are right afterwards. */
export const headerMutators: Mutators = {
  "edit a field": onHeader((place) => editField(place, place.dice.pick(fields))),
  "edit a name": onHeader((place) => {
    const field = place.dice.pick(fields.filter(({ isName }) => isName));
    return editField(place, field);
  }),
  "edit a type": onHeader(({ archive, at, dice }) => {
    const bytes = Buffer.from(archive);
    const type = dice.pick(types);
    bytes[at + 156] = type.charCodeAt(0);
    return { bytes: repaired(bytes, at), said: `the type at ${at} is ${told(type)}` };
  }),
  "flip a header's bits": onHeader(({ archive, at, dice }) => {
    const bytes = Buffer.from(archive);
    const places = Array.from({ length: dice.few(6) }, () => at + dice.below(blockSize));
    for (const place of places) bytes[place] = (bytes[place] ?? 0) ^ (1 << dice.below(8));
    return { bytes: repaired(bytes, at), said: `bits flipped at ${places.join(", ")}` };
  }),
  "insert an extended header": onHeader((place) => {
    const { dice } = place;
    const records = Object.fromEntries(
      Array.from({ length: dice.few(4) }, () => {
        const keyword = dice.pick(paxKeywords);
        const isPath = keyword === "path" || keyword === "linkpath";
        const value = isPath ? someName(place) : dice.pick(paxValues);
        return [keyword, Buffer.from(value, "latin1")];
      }),
    );
    const type = dice.chance(0.8) ? "x" : "g";
    const what = `a PAX header ${type} with ${Object.keys(records).join(", ")}`;
    return inserted(place, { bytes: paxMember(records, type), what });
  }),
  "insert a long name": onHeader((place) => {
    const { dice } = place;
    const type = dice.pick(["L", "K"] as const);
    const name = dice.chance(0.5) ? someName(place) : dice.pick(longNames);
    const bytes = gnuLong(type, Buffer.from(name, "latin1"));
    return inserted(place, { bytes, what: `a GNU header ${type} with ${told(name)}` });
  }),
  "insert a member": onHeader((place) => {
    const { dice } = place;
    const type = dice.pick(["0", "0", "1", "1", "2", "2", "5", "5", "3", "6", "7"]);
    const name = someName(place);
    const linkName = someName(place);
    const content = type === "0" || type === "7" ? "inserted" : "";
    const mode = dice.pick([0o644, 0o755, 0, 0o7777]);
    const header = { name: latin1(name), linkName: latin1(linkName), type, mode };
    const what = `a member ${type} ${told(name)} -> ${told(linkName)}`;
    return inserted(place, { bytes: member(header, content), what });
  }),
  "go through a link": onHeader((place) => {
    const { dice } = place;
    const link = someName(place);
    const target = dice.chance(0.5) ? dice.pick(linkTargets) : someName(place);
    const below = `${link}/${dice.pick(["f", "dir", "new", "dir/f", ".wh.f", ".wh..wh..opq", "l"])}`;
    const type = dice.pick(["0", "0", "1", "2", "5"]);
    const linkName = dice.pick([link, below, "a", "../../../canary"]);
    const pair = [
      member({ name: latin1(link), linkName: latin1(target), type: "2" }),
      member({ name: latin1(below), linkName: latin1(linkName), type }),
    ];
    const bytes = Buffer.concat(dice.chance(0.8) ? pair : pair.reverse());
    const what = `a link ${told(link)} -> ${told(target)} and a member ${type} ${told(below)}`;
    return inserted(place, { bytes, what });
  }),
  "move a member": onHeader(({ archive, at, headers, dice }) => {
    const end = headers.find((next) => next > at) ?? archive.length;
    const rest = Buffer.concat([archive.subarray(0, at), archive.subarray(end)]);
    const to = dice.pick(headers.filter((header) => header <= rest.length));
    const parts = [rest.subarray(0, to), archive.subarray(at, end), rest.subarray(to)];
    return { bytes: Buffer.concat(parts), said: `the member at ${at} moved to ${to}` };
  }),
  "borrow a member": onHeader((place) => {
    const { donor, dice } = place;
    const theirs = headersOf(donor);
    if (theirs.length === 0) return { bytes: place.archive, said: "nothing" };
    const from = dice.pick(theirs);
    const end = theirs.find((next) => next > from) ?? donor.length;
    const what = `the member ${told(nameAt(donor, from))} of another archive`;
    return inserted(place, { bytes: donor.subarray(from, end), what });
  }),
};

const longNames = ["n".repeat(300), "a/".repeat(400), `${"d".repeat(255)}/`.repeat(20)];

const linkTargets = [
  "/proc/self/cwd/canary",
  "../../../canary",
  "../../../../canary",
  "/",
  "..",
  ".",
];

interface HeaderPlace {
  readonly archive: Buffer;
  /** Where one of the headers is. */
  readonly at: number;
  readonly headers: readonly number[];
  readonly donor: Buffer;
  readonly dice: Dice;
}

function onHeader(edit: (place: HeaderPlace) => Change): Mutator {
  return (archive: Buffer, options: MutatorOptions) => {
    const headers = headersOf(archive);
    if (headers.length === 0) {
      return byteMutators["set bytes"]?.(archive, options) ?? { bytes: archive, said: "nothing" };
    }
    return edit({ ...options, archive, at: options.dice.pick(headers), headers });
  };
}

function editField(place: HeaderPlace, field: Field): Change {
  const { archive, at, dice } = place;
  const value = field.isName ? someName(place) : dice.pick(field.values);
  const bytes = Buffer.from(archive);
  bytes.fill(0, at + field.at, at + field.at + field.length);
  Buffer.from(value, "latin1").copy(bytes, at + field.at, 0, field.length);
  return { bytes: repaired(bytes, at), said: `${field.name} at ${at} is ${told(value)}` };
}

function inserted(
  { archive, at }: HeaderPlace,
  { bytes, what }: { bytes: Buffer; what: string },
): Change {
  const whole = Buffer.concat([archive.subarray(0, at), bytes, archive.subarray(at)]);
  return { bytes: whole, said: `${what} inserted at ${at}` };
}

/** A hostile name, or one of the archives' own, or one below it: it is these that clash. */
function someName(place: HeaderPlace): string {
  const { archive, headers, donor, dice } = place;
  if (dice.chance(0.3)) return dice.pick(hostileNames);
  const theirs = headersOf(donor);
  const known = () =>
    theirs.length > 0 && dice.chance(0.25)
      ? nameAt(donor, dice.pick(theirs))
      : nameAt(archive, dice.pick(headers));
  const name = known();
  const slash = name.lastIndexOf("/");
  return dice.pick([
    name,
    name,
    name,
    `${name}/x`,
    `${name}/`,
    `${name}/${known()}`,
    `${name.slice(0, slash + 1)}${known()}`,
    name.slice(0, Math.max(0, slash)),
    `${name.slice(0, slash + 1)}.wh.${name.slice(slash + 1)}`,
    `${name}/.wh..wh..opq`,
    `${name}/../x`,
  ]);
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1").subarray(0, 100);
}

function told(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
