/**
 * The examples are messages as good as a caller's, in full and at their least, and a complete one leaves nothing out
 * that could stand there. What the reader proves about them holds for the documentation too, which shows them.
 */
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { type Extent, exampleRequest, exampleResponse } from '../../src/catalogue/example.ts';
import { EXAMPLE_VALUES } from '../../src/catalogue/exampleValues.ts';
import { FIELDS } from '../../src/catalogue/fields.ts';
import { HEADER_NAMES } from '../../src/catalogue/header.ts';
import type { Part } from '../../src/catalogue/row.ts';
import { readReply, validateHeader, validateRequest } from '../../src/catalogue/validate.ts';
import type { WireFields } from '../../src/domain/message.ts';

const EXTENTS: readonly Extent[] = ['complete', 'least'];
const cases = APIS.flatMap(row => EXTENTS.map(extent => ({ row, extent, title: `${row.name}, ${extent}` })));

/** The names of the parts that an example has or does not have for a reason of its own. */
const namesOf = (part: Part): readonly string[] => ('field' in part ? [part.field] : 'list' in part ? [part.list] : []);
const forbiddenIn = (parts: readonly Part[], fields: WireFields): readonly string[] =>
  parts.flatMap(part =>
    'when' in part && part.need === 'forbidden' && 'present' in part.when && part.when.present in fields
      ? [part.field]
      : [],
  );

describe('example messages', () => {
  it.each(cases)('$title: the request is good', ({ row, extent }) => {
    const example = exampleRequest(row, extent);
    expect(validateHeader(example).findings).toEqual([]);
    const { findings, fields } = validateRequest(row, example);
    expect(findings).toEqual([]);
    expect(Object.keys(example).sort()).toEqual(
      [...HEADER_NAMES.filter(name => name in example), ...Object.keys(fields)].sort(),
    );
  });

  it.each(cases)('$title: the response is good, and nothing of it is dropped', ({ row, extent }) => {
    const { responseCode, responseDesc, ...rest } = exampleResponse(row, extent);
    const own = Object.fromEntries(
      Object.entries(rest).filter(([name]) => !HEADER_NAMES.some(header => header === name)),
    );
    expect([responseCode, responseDesc]).toEqual(['00', 'approved']);
    expect(readReply(row, rest, { approved: true, currency: undefined })).toEqual({ kind: 'fields', fields: own });
  });

  it.each(APIS)('$name: a complete request has every field but one that would make it another message', row => {
    const example = exampleRequest(row);
    const absent = row.request.flatMap(namesOf).filter(name => !(name in example));
    const allowed = ['originalTranId', ...forbiddenIn(row.request, example)];
    expect(absent.filter(name => !allowed.includes(name))).toEqual([]);
  });

  it.each(APIS)('$name: without any one field of its least request the message is not good', row => {
    const example = exampleRequest(row, 'least');
    for (const name of Object.keys(example)) {
      const { [name]: _, ...rest } = example;
      const findings = [...validateHeader(rest).findings, ...validateRequest(row, rest).findings];
      expect(findings, name).not.toEqual([]);
    }
  });

  it('no example that is not about an original names one', () => {
    const naming = APIS.filter(row => 'originalTranId' in exampleRequest(row)).map(row => row.name);
    expect(naming).toEqual(['Refund', 'Reversal', 'UnblockFund']);
  });

  it('there is a value for every field', () => {
    expect(Object.keys(EXAMPLE_VALUES).sort()).toEqual(Object.keys(FIELDS).sort());
  });
});
