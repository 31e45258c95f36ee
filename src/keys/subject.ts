/**
 * Whom a certificate is for: a distinguished name as people write it (RFC 4514), `CN=gateway,O=Example Bank,C=DE`, with
 * the attributes that organisations have and one value in each part.
 */
import { oid, printable, sequence, set, utf8 } from './der.ts';
import { usageProblem } from './problem.ts';

type Part = { readonly name: string; readonly value: string };

/** RFC 4519; the countries of ISO 3166 are the one attribute with a form of its own. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['CN', '2.5.4.3'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['C', '2.5.4.6'],
]);
const COUNTRY = /^[A-Z]{2}$/;
/** The upper bounds of X.520 for these attributes are 64 characters and more. */
const VALUE_CHARS_MAX = 64;

/** `name=value`; what has a meaning of its own stands in a value behind a backslash. */
const PART = /\s*([A-Za-z]+)\s*=((?:\\[\\,+"<>;=# ]|[^\\,+"<>;=\p{C}])+)(,|$)/uy;

/** The name in DER. */
export function parseSubject(text: string): Buffer {
  const parts = partsOf(text);
  if (parts?.filter(({ name }) => name === 'CN').length !== 1) {
    throw usageProblem(
      `--subject takes a name with one CN, such as "CN=gateway,O=Example Bank,C=DE"; there are ${[...ATTRIBUTES.keys()].join(', ')}.`,
    );
  }
  // The text begins with what the encoding ends with (RFC 4514, 2.1).
  return sequence(...parts.map(encoded).reverse());
}

function partsOf(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const next = new RegExp(PART);
  while (next.lastIndex < text.length) {
    const [, name = '', written = '', end] = next.exec(text) ?? [];
    const part = { name: name.toUpperCase(), value: written.replaceAll(/\\(.)/g, '$1').trim() };
    if (!isPart(part) || (end === ',' && next.lastIndex === text.length)) return undefined;
    parts.push(part);
  }
  return parts;
}

const isPart = ({ name, value }: Part): boolean =>
  ATTRIBUTES.has(name) && value !== '' && [...value].length <= VALUE_CHARS_MAX && (name !== 'C' || COUNTRY.test(value));

const encoded = ({ name, value }: Part): Buffer => {
  const text = name === 'C' ? printable(value) : utf8(value);
  return set(sequence(oid(ATTRIBUTES.get(name) ?? ''), text));
};
