import { isRecord } from "../host/read-json.js";
import { nearest } from "./nearest.js";

/** Something wrong in a configuration, and the key where. */
export class ConfigFault extends Error {
  readonly path: readonly string[];
  readonly hint: string | undefined;

  constructor(path: readonly string[], message: string, hint?: string) {
    super(message);
    this.path = path;
    this.hint = hint;
  }
}

/** What a key's value has to be. */
export interface ValueType<Value> {
  /** For messages: `a size such as "200G"`. */
  readonly expected: string;
  /** Undefined for what it may not be. */
  readonly read: (value: unknown) => Value | undefined;
}

/** A table of a configuration file, of which all keys are known. */
export class Table {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: readonly string[];

  /** @throws ConfigFault where it is no table, or has a key that is not among `known` */
  constructor(value: unknown, options: { path: readonly string[]; known: readonly string[] }) {
    const { path, known } = options;
    this.#values = tableAt(value, path);
    this.#path = path;
    const odd = Object.keys(this.#values).find((key) => !known.includes(key));
    if (odd === undefined) return;
    const near = nearest(odd, known);
    throw new ConfigFault(
      [...path, odd],
      `unknown key "${odd}"${path.length > 0 ? ` in [${path.join(".")}]` : ""}`,
      near === undefined ? undefined : `the nearest known one is "${near}"`,
    );
  }

  /** The value of a key; undefined where it is not there. @throws ConfigFault */
  get<Value>(key: string, type: ValueType<Value>): Value | undefined {
    if (!Object.hasOwn(this.#values, key)) return undefined;
    const value = type.read(this.#values[key]);
    if (value !== undefined) return value;
    throw this.fault(key, `${key} should be ${type.expected}`);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  /** The table below; an empty one where it is not there. @throws ConfigFault */
  table(key: string, known: readonly string[]): Table {
    const value = this.has(key) ? this.#values[key] : {};
    return new Table(value, { path: [...this.#path, key], known });
  }

  fault(key: string, message: string, hint?: string): ConfigFault {
    return new ConfigFault([...this.#path, key], message, hint);
  }
}

/** @throws ConfigFault */
export function tableAt(
  value: unknown,
  path: readonly string[],
): Readonly<Record<string, unknown>> {
  if (isRecord(value) && !(value instanceof Date)) return value;
  throw new ConfigFault(
    path,
    `${path.at(-1) ?? "the file"} should be a table: [${path.join(".")}]`,
  );
}
