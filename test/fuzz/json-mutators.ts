import { byteMutators } from "./byte-mutators.js";
import type { Dice } from "./dice.js";
import type { Change, Mutator, Mutators } from "./mutator.js";

/** A place in a document that a value stands at. */
interface Slot {
  readonly container: Record<string, unknown> | unknown[];
  readonly key: string;
  /** Dotted, for telling. */
  readonly path: string;
}

const texts = [
  "",
  ".",
  "..",
  "/",
  "../canary/f",
  "out.json",
  "out/f",
  "/proc/self/cwd/canary/f",
  "a\0b",
  "line\nbreak\r\u001b[31m\u2028",
  "\ud800",
  "__proto__",
  "constructor",
  "sha256:",
  `sha256:${"0".repeat(64)}`,
  `sha256:${"A".repeat(64)}`,
  `sha512:${"0".repeat(128)}`,
  "md5:0123456789abcdef0123456789abcdef",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.oci.image.layer.v1.tar+encrypted",
  "linux",
  "windows",
  "unknown",
  "amd64",
  "attestation-manifest",
];

/** JSON text as it stands, because no JavaScript value is written like that. */
const raws = [
  "1e999",
  "-1e999",
  "-0",
  "0.1",
  "-1",
  "2147483648",
  "9007199254740993",
  "123456789012345678901234567890",
  "01",
  "NaN",
  "null",
  "true",
  "[]",
  "{}",
  "[null]",
  "[[]]",
  '{"":""}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"\\u0000"',
  '"\\ud800\\udfff\\ud800"',
  '"\\u202e"',
  '"\\x41"',
  "'single'",
  "undefined",
  "",
];

const names = ["__proto__", "constructor", "prototype", "toString", "", "length", "0", "a\0b"];

/** For JSON documents: each knows values, properties and types. */
export const jsonMutators: Mutators = {
  "replace a value": onSlot(({ slot, dice }) => {
    const raw = dice.chance(0.5) ? dice.pick(raws) : JSON.stringify(dice.pick(texts));
    return { raw: { slot, text: raw }, said: `${slot.path} is ${raw}` };
  }),
  "replace by something large": onSlot(({ slot, dice }) => {
    const size = dice.chance(0.05) ? 100_000 : dice.pick([10, 300, 5000]);
    const { what, text } = dice.pick([
      { what: "levels of arrays", text: "[".repeat(size) + "]".repeat(size) },
      { what: "levels of objects", text: `${'{"a":'.repeat(size)}1${"}".repeat(size)}` },
      { what: "characters", text: JSON.stringify("x".repeat(size)) },
      { what: "control characters", text: `"${"\\u001b".repeat(size)}"` },
      { what: "nulls", text: `[${"null,".repeat(size)}null]` },
      { what: "digits", text: "9".repeat(size) },
    ]);
    return { raw: { slot, text }, said: `${slot.path} is ${size} ${what}` };
  }),
  "remove a value": onSlot(({ slot }) => {
    if (Array.isArray(slot.container)) slot.container.splice(Number(slot.key), 1);
    else delete slot.container[slot.key];
    return { said: `${slot.path} is gone` };
  }),
  "rename a property": onSlot(({ slot, dice, slots }) => {
    const name = dice.chance(0.5) ? dice.pick(names) : dice.pick(slots).key;
    const value = valueAt(slot);
    if (!Array.isArray(slot.container)) delete slot.container[slot.key];
    define(slot.container, { name, value });
    return { said: `${slot.path} is called ${JSON.stringify(name)}` };
  }),
  "add a property": onSlot(({ slot, dice, slots }) => {
    const name = dice.chance(0.5) ? dice.pick(names) : dice.pick(slots).key;
    define(slot.container, { name, value: dice.pick<unknown>([...texts, 1, {}, []]) });
    return { said: `${JSON.stringify(name)} stands beside ${slot.path}` };
  }),
  "say a property twice": onSlot(({ slot, dice, slots }) => {
    const name = JSON.stringify(slot.key);
    const first = JSON.stringify(valueAt(slot)) ?? "null";
    const second = dice.chance(0.5) ? dice.pick(raws) : JSON.stringify(valueAt(dice.pick(slots)));
    return { raw: { slot, text: `${first},${name}:${second}` }, said: `${slot.path} stands twice` };
  }),
  "wrap a value": onSlot(({ slot, dice }) => {
    const value = valueAt(slot);
    set(slot, dice.chance(0.5) ? [value] : { [dice.pick(texts)]: value });
    return { said: `${slot.path} is wrapped` };
  }),
  "repeat a value": onSlot(({ slot, dice }) => {
    const value = valueAt(slot);
    const isSmall = (JSON.stringify(value)?.length ?? 0) < 1000;
    const times = dice.pick(isSmall ? [2, 3, 100, 1100] : [2, 3]);
    if (Array.isArray(slot.container)) {
      slot.container.push(...Array.from({ length: times }, () => value));
    } else {
      set(
        slot,
        Array.from({ length: times }, () => value),
      );
    }
    return { said: `${slot.path} is there ${times} times` };
  }),
  "swap two values": onSlot(({ slot, dice, slots }) => {
    const other = dice.pick(slots);
    const text = JSON.stringify([valueAt(slot), valueAt(other)]);
    const [first, second]: readonly unknown[] = JSON.parse(text);
    set(slot, second);
    set(other, first);
    return { said: `${slot.path} and ${other.path} are swapped` };
  }),
  "upset a terminal": onSlot(({ slot, dice }) => {
    const text = dice.pick(["\u001b[31m", "\r\n", "\u2028", "\u202e", "\u0085", "\u007f"]);
    const isKey = !Array.isArray(slot.container) && dice.chance(0.3);
    if (isKey) define(slot.container, { name: slot.key + text, value: valueAt(slot) });
    else set(slot, `${valueAt(slot)}${text}`);
    return { said: `${slot.path} has ${JSON.stringify(text)} in its ${isKey ? "key" : "value"}` };
  }),
  "edit a string": onSlot(({ slot, dice }) => {
    const value = String(valueAt(slot));
    const at = dice.below(value.length + 1);
    const text = dice.pick([...texts, "x".repeat(5000), ":", "@", "%", "sha512:", "é", "\u0301"]);
    set(slot, value.slice(0, at) + text + value.slice(at + dice.below(3)));
    return { said: `${slot.path} has ${JSON.stringify(text.slice(0, 50))} at ${at}` };
  }),
};

interface Edit {
  readonly said: string;
  /** Text that is to stand at a slot as it is. */
  readonly raw?: { readonly slot: Slot; readonly text: string };
}

const rawMark = "@raw text@";

function onSlot(edit: (on: { slot: Slot; slots: readonly Slot[]; dice: Dice }) => Edit): Mutator {
  return (bytes, options) => {
    const fallBack = (): Change => {
      const change = byteMutators["flip bits"]?.(bytes, options);
      return change ?? { bytes, said: "nothing" };
    };
    try {
      const document: readonly unknown[] = [JSON.parse(bytes.toString("utf8"))];
      const slots = slotsOf(document);
      if (slots.length === 0) return fallBack();
      const { dice } = options;
      const { said, raw } = edit({ slot: dice.pick(slots), slots, dice });
      if (raw) set(raw.slot, rawMark);
      const text = JSON.stringify(document[0]) ?? "";
      const whole = raw ? text.replace(JSON.stringify(rawMark), () => raw.text) : text;
      return { bytes: Buffer.from(whole), said };
    } catch {
      // What an earlier mutation made is no JSON any more, or too deep to be written again.
      return fallBack();
    }
  };
}

/** The first few hundred places of a document, not too deep. */
function slotsOf(document: readonly unknown[]): readonly Slot[] {
  const found: Slot[] = [];
  const visit = (container: unknown, path: string, depth: number) => {
    if (!isContainer(container) || depth > 20) return;
    for (const key of Object.keys(container).slice(0, 100)) {
      if (found.length > 300) return;
      const slot = { container, key, path: path === "" ? key : `${path}.${key.slice(0, 40)}` };
      found.push(slot);
      visit(valueAt(slot), slot.path, depth + 1);
    }
  };
  visit(document, "", 0);
  return found;
}

function isContainer(value: unknown): value is Slot["container"] {
  return typeof value === "object" && value !== null;
}

function valueAt({ container, key }: Slot): unknown {
  return Object.getOwnPropertyDescriptor(container, key)?.value;
}

function set({ container, key }: Slot, value: unknown): void {
  define(container, { name: key, value });
}

/** An own property even if it is called `__proto__`. */
function define(container: Slot["container"], property: { name: string; value: unknown }): void {
  const { name, value } = property;
  if (Array.isArray(container) && !/^\d+$/.test(name)) container.push(value);
  else {
    const options = { value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(container, name, options);
  }
}
