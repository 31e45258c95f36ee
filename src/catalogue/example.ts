/**
 * Example messages of any API, from its row: the same ones every time, and good by the same rules as a caller's. The
 * documentation shows them, and tests start from them.
 */
import type { WireFields, WireValue } from '../domain/message.ts';
import { EXAMPLE_VALUES } from './exampleValues.ts';
import type { FieldName } from './fields.ts';
import { HEADER_PARTS } from './header.ts';
import type { ApiRow, Condition, Part } from './row.ts';

/** `complete`: every field that may stand there together. `least`: nothing that could be left out. */
export type Extent = 'complete' | 'least';

type Fields = { [name: string]: WireValue };

const holds = (fields: WireFields, condition: Condition): boolean =>
  'present' in condition
    ? fields[condition.present] !== undefined
    : EXAMPLE_VALUES[condition.field] === condition.is && fields[condition.field] !== undefined;

const put = (fields: Fields, name: FieldName): void => {
  fields[name] = EXAMPLE_VALUES[name];
};

/**
 * Whether the part is in a complete example. An optional `originalTranId` turns the message into another one, which
 * completes or adds to a transaction that a reader does not have.
 */
const isShown = (part: Part): boolean =>
  !('field' in part && part.field === 'originalTranId' && part.need === 'optional');

const isPlainlyRequired = (part: Part): boolean => 'need' in part && part.need === 'required' && !('when' in part);

const putPart = (fields: Fields, part: Part, extent: Extent): void => {
  if ('list' in part) fields[part.list] = [messageOf(part.of, extent)];
  else if ('oneOf' in part) for (const name of part.oneOf.slice(0, 1)) put(fields, name);
  else if ('field' in part) put(fields, part.field);
};

const messageOf = (parts: readonly Part[], extent: Extent): Fields => {
  const fields: Fields = {};
  const all = extent === 'complete';
  for (const part of parts) {
    const isChosen = all ? isShown(part) : 'oneOf' in part || isPlainlyRequired(part);
    if (isChosen) putPart(fields, part, extent);
  }
  const optional = parts.find(part => 'need' in part && part.need === 'optional');
  const asksForOne = parts.some(part => 'atLeastOne' in part);
  if (!all && asksForOne && optional !== undefined) putPart(fields, optional, extent);
  for (const part of parts) {
    if (!('when' in part) || !holds(fields, part.when)) continue;
    if (part.need === 'required') put(fields, part.field);
    else delete fields[part.field];
  }
  return fields;
};

/**
 * A request of this API, header fields included. `tranDate` is a fixed day: a caller of a running gateway puts in its
 * own date, time and `tranId`.
 */
export const exampleRequest = (row: ApiRow, extent: Extent = 'complete'): WireFields => ({
  ...messageOf(HEADER_PARTS, extent),
  ...messageOf(row.request, extent),
});

/** The approval of that request: the header fields as sent, the envelope, and the response's own fields. */
export const exampleResponse = (row: ApiRow, extent: Extent = 'complete'): WireFields => {
  const own = messageOf(row.response, extent);
  const { responseCode, responseDesc, recordNum } = EXAMPLE_VALUES;
  return {
    ...messageOf(HEADER_PARTS, extent),
    responseCode,
    responseDesc,
    ...('recordList' in own ? { recordNum } : {}),
    ...own,
  };
};
