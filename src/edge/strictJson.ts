/**
 * Bytes to a JSON object, strictly: UTF-8 or nothing, and no second reading of one text. A linear scan looks for what
 * `JSON.parse` would quietly accept (duplicate names, depth, width, names of prototypes) before it may build anything.
 */
import { BODY, nameable } from '../catalogue/finding.ts';
import type { JsonObject } from '../catalogue/shape.ts';
import type { FieldError } from '../domain/refusal.ts';

/** What a message may have at most; the contract's own messages stay far below. */
export const JSON_LIMITS = {
  /** Objects and lists inside each other, the message included: the deepest of the contract has 3. */
  depth: 8,
  /** Names in one object. */
  names: 200,
  /** Values in one list. */
  items: 200,
} as const;

export type JsonReading =
  | { readonly kind: 'object'; readonly value: JsonObject }
  | { readonly kind: 'fault'; readonly error: FieldError };

/** Names that mean something to JavaScript itself when objects are merged. */
const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** The byte order mark is kept, so that `JSON.parse` refuses it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const fault = (field: string, reason: string): JsonReading => ({ kind: 'fault', error: { field, reason } });

/** Reads the bytes as one JSON object. Never throws; the error names the field, never a value. */
export const readStrictJson = (bytes: Uint8Array): JsonReading => {
  const text = decode(bytes);
  if (text === undefined) return fault(BODY, 'must be UTF-8');
  const value = readFlat(text);
  return value === undefined ? readAnyJson(text) : { kind: 'object', value };
};

/** What stands around a name, its value and what follows. */
const AROUND = '"":"",'.length;

/**
 * The object of a text that holds nothing but names and strings, which nearly every message is, at half the cost of the
 * scan; undefined where it is anything else, or anything is wrong with it. The object shows how long its text is at least:
 * a name that is there twice makes it longer, and so do blanks. Where there are some, its strings are counted: without
 * escapes every quote begins or ends one.
 */
const readFlat = (text: string): JsonObject | undefined => {
  if (text.includes('[') || text.includes('{', 1)) return undefined;
  const value = parse(text);
  if (!isObject(value)) return undefined;
  let names = 0;
  let length = 1;
  for (const name in value) {
    const one = value[name];
    if (typeof one !== 'string' || PROTOTYPE_NAMES.has(name)) return undefined;
    names += 1;
    length += name.length + one.length + AROUND;
  }
  if (names > JSON_LIMITS.names) return undefined;
  const isWhole = length === text.length || (!text.includes('\\') && quotesIn(text) === 4 * names);
  return isWhole ? value : undefined;
};

const quotesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
};

/** As `readStrictJson`, for every text; what is wrong with one is found here. */
export const readAnyJson = (text: string): JsonReading => {
  const hasEscapes = text.includes('\\');
  const found = new Scan(text, hasEscapes).run();
  if (found !== undefined) return { kind: 'fault', error: found };
  const value = parse(text);
  if (value === undefined) return fault(BODY, 'must be one JSON value and nothing else');
  if (!isObject(value)) return fault(BODY, 'must be a JSON object');
  // Only an escape can bring a lone surrogate in: the decoder lets none through.
  const lone = hasEscapes ? loneSurrogate(value, '') : undefined;
  return lone === undefined ? { kind: 'object', value } : fault(lone, 'must not have a lone surrogate');
};

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const inside = (path: string, name: string): string => {
  if (path === BODY || nameable(name) === BODY) return BODY;
  return path === '' ? name : `${path}.${name}`;
};

/** The path of the first string, a name included, that is no Unicode text. Recursion ends with the depth limit. */
const loneSurrogate = (value: unknown, path: string): string | undefined => {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : path;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return first(items, (item, index) => loneSurrogate(item, path === BODY ? BODY : `${path}[${index}]`));
  }
  if (!isObject(value)) return undefined;
  return first(Object.entries(value), ([name, item]) =>
    name.isWellFormed() ? loneSurrogate(item, inside(path, name)) : path || BODY,
  );
};

const first = <T>(items: readonly T[], look: (item: T, index: number) => string | undefined): string | undefined => {
  for (const [index, item] of items.entries()) {
    const found = look(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** An open object or list: the names seen in it, the one that is current, and how many values it has begun. */
type Open = { readonly names: Set<string> | undefined; name: string; count: number; atName: boolean };

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Walks the text once, from bracket to string to comma. It does not check the grammar, which `JSON.parse` does next: for
 * every text that is JSON it sees what is there, and for any other it ends all the same.
 */
class Scan {
  readonly #text: string;
  readonly #hasEscapes: boolean;
  readonly #open: Open[] = [];
  #at = 0;

  constructor(text: string, hasEscapes: boolean) {
    this.#text = text;
    this.#hasEscapes = hasEscapes;
  }

  run(): FieldError | undefined {
    while (this.#at < this.#text.length) {
      const error = this.#step(this.#text.charCodeAt(this.#at));
      if (error !== undefined) return error;
      this.#at++;
    }
    return undefined;
  }

  #step(unit: number): FieldError | undefined {
    switch (unit) {
      case QUOTE:
        return this.#string();
      case OPEN_OBJECT:
        return this.#begin({ names: new Set(), name: '', count: 1, atName: true });
      case OPEN_LIST:
        return this.#begin({ names: undefined, name: '', count: 1, atName: false });
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        this.#open.pop();
        return undefined;
      case COMMA:
        return this.#next();
      default:
        return undefined;
    }
  }

  #begin(open: Open): FieldError | undefined {
    this.#open.push(open);
    if (this.#open.length <= JSON_LIMITS.depth) return undefined;
    return { field: BODY, reason: `must be at most ${JSON_LIMITS.depth} levels deep` };
  }

  #next(): FieldError | undefined {
    const open = this.#open.at(-1);
    if (open === undefined) return undefined;
    open.count++;
    open.atName = open.names !== undefined;
    const max = open.names === undefined ? JSON_LIMITS.items : JSON_LIMITS.names;
    if (open.count <= max) return undefined;
    return {
      field: BODY,
      reason: `must have at most ${max} ${open.names === undefined ? 'values in a list' : 'names'}`,
    };
  }

  /** Passes over a string, and takes it for a name where an object expects one. */
  #string(): FieldError | undefined {
    const start = this.#at;
    const escaped = this.#skip();
    const open = this.#open.at(-1);
    if (open?.names === undefined || !open.atName) return undefined;
    open.atName = false;
    const name = this.#text.slice(start + 1, this.#at);
    open.name = escaped ? String(parse(`"${name}"`)) : name;
    if (PROTOTYPE_NAMES.has(open.name)) return { field: this.#path(), reason: 'is not a field of this message' };
    if (open.names.has(open.name)) return { field: this.#path(), reason: 'is there twice' };
    open.names.add(open.name);
    return undefined;
  }

  /** Moves to the closing quote; tells whether there were escapes on the way. */
  #skip(): boolean {
    // Then the next quote is the closing one, and looking for it is far quicker than walking.
    if (!this.#hasEscapes) {
      const quote = this.#text.indexOf('"', this.#at + 1);
      this.#at = quote < 0 ? this.#text.length : quote;
      return false;
    }
    let escaped = false;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === QUOTE) break;
      if (unit !== BACKSLASH) continue;
      escaped = true;
      this.#at++;
    }
    return escaped;
  }

  /** Where the current name is, such as `recordList[0].limitAmount`. */
  #path(): string {
    let path = '';
    for (const open of this.#open) {
      if (open.names !== undefined) path = inside(path, open.name);
      else if (path !== BODY) path = `${path}[${open.count - 1}]`;
    }
    return path;
  }
}
