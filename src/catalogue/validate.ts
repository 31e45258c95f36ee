/**
 * Proves messages by their rows: requests strictly, with everything that is wrong at once; an issuer's replies by what
 * the catalogue lists, the rest dropped. Shapes are compiled when the process starts, not per call.
 */
import type { CurrencyCode } from '../domain/currencies.ts';
import type { WireFields } from '../domain/message.ts';
import { APIS } from './apis.ts';
import { HEADER_NAMES, HEADER_PARTS } from './header.ts';
import { type Mode, type Reading, readShape } from './read.ts';
import type { ApiRow } from './row.ts';
import { compileShape, type JsonObject, type Shape } from './shape.ts';

type Shapes = { readonly request: Shape; readonly response: Shape; readonly known: ReadonlySet<string> };

const HEADER = compileShape(HEADER_PARTS);
const REQUEST: Mode = { of: 'request', complete: true, currency: undefined };

const compile = (row: ApiRow): Shapes => {
  const request = compileShape(row.request);
  return { request, response: compileShape(row.response), known: new Set([...HEADER_NAMES, ...request.names]) };
};

const COMPILED = new WeakMap<ApiRow, Shapes>(APIS.map(row => [row, compile(row)]));

const shapesOf = (row: ApiRow): Shapes => {
  const compiled = COMPILED.get(row) ?? compile(row);
  COMPILED.set(row, compiled);
  return compiled;
};

/** The header fields of a request, whatever else the message has beside them. */
export const validateHeader = (wire: JsonObject): Reading => readShape(HEADER, wire, REQUEST);

/** A request's own fields, exactly as sent, in the order of the catalogue. A field of neither it nor the header is wrong. */
export const validateRequest = (row: ApiRow, wire: JsonObject): Reading => {
  const shapes = shapesOf(row);
  return readShape(shapes.request, wire, REQUEST, shapes.known);
};

export type ReplyOptions = {
  /** Whether the reply says `00`: only then required fields must be there. */
  readonly approved: boolean;
  /** The currency of the request, for amounts of a reply that does not name theirs. */
  readonly currency: CurrencyCode | undefined;
};

/** A reply's listed fields, or the first one that is wrong. */
export type ReplyReading =
  | { readonly kind: 'fields'; readonly fields: WireFields }
  | { readonly kind: 'badField'; readonly field: string; readonly reason: string };

/**
 * The response fields that the catalogue lists, header and response code left out; unlisted fields are dropped. Never
 * throws, whatever the issuer sent.
 */
export const readReply = (row: ApiRow, wire: JsonObject, options: ReplyOptions): ReplyReading => {
  const { response } = shapesOf(row);
  const mode: Mode = { of: 'reply', complete: options.approved, currency: options.currency };
  const { fields, findings } = readShape(response, wire, mode);
  const [first] = findings;
  return first === undefined
    ? { kind: 'fields', fields }
    : { kind: 'badField', field: first.field, reason: first.reason };
};
