/**
 * Holds the project's own copy of the catalogue against the wire contract, field by field and row by row, where the
 * contract's file lies beside the project; and checks what the rows promise each other.
 */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { APIS } from '../../src/catalogue/apis.ts';
import { FIELDS, type FieldName, fieldRow, isFieldName } from '../../src/catalogue/fields.ts';
import { HEADER_PARTS } from '../../src/catalogue/header.ts';
import type { ApiRow, FieldRow, Part } from '../../src/catalogue/row.ts';
import { RESPONSE_CODES } from '../../src/domain/responseCode.ts';
import { named } from './rows.ts';

const FILE = new URL('../../../shared/api-catalogue.yaml', import.meta.url);

type YamlField = {
  type: string;
  min?: number;
  max?: number;
  most?: number;
  default?: string;
  required?: boolean;
  values?: readonly string[] | Record<string, string>;
  data?: string;
};
type YamlApi = { name: string; request: string; response: string };
type Contract = {
  publicHeader: { request: Record<string, YamlField> };
  fields: Record<string, YamlField>;
  groups: Record<string, string>;
  apis: readonly YamlApi[];
  responseCodes: Record<string, unknown>;
};

const contract = (): Contract => parse(readFileSync(FILE, 'utf8'));

/** Fields of the envelope, which the contract's own list of fields leaves out. */
const ENVELOPE = ['responseCode', 'responseDesc', 'recordNum'];

const yamlText = (field: YamlField): string => {
  const values = Array.isArray(field.values) ? field.values : Object.keys(field.values ?? {});
  return JSON.stringify({
    type: field.type,
    ...(field.min === undefined ? {} : { min: field.min }),
    ...(field.max === undefined ? {} : { max: field.max }),
    ...(field.most === undefined ? {} : { most: field.most }),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(values.length === 0 ? {} : { values: [...values].sort() }),
    ...(field.data === undefined ? {} : { data: field.data }),
    // The comma ends the meaning: in YAML the rest is a key of its own.
    ...(Object.hasOwn(field, 'more than zero') ? { positive: true } : {}),
  });
};

const rowText = ({ type, data, default: standard }: FieldRow): string =>
  JSON.stringify({
    type: type.kind === 'enums' ? 'list of enum' : type.kind,
    ...('min' in type ? { min: type.min } : {}),
    ...('max' in type ? { max: type.max } : {}),
    ...('most' in type ? { most: type.most } : {}),
    ...(standard === undefined ? {} : { default: standard }),
    ...('values' in type ? { values: Object.keys(type.values).sort() } : {}),
    ...(data === undefined ? {} : { data }),
    ...('positive' in type ? { positive: true } : {}),
  });

/** A list of records, a group, a condition for the whole message, or a field with its need and condition. */
const WORD = /recordList\[([^\]]*)\](\??)|\+(\w+)|\(([^)]*)\)|([\w|]+[!?]?)(?:\(([^)]*)\))?/g;

/** The contract's notation as a sorted list: `name!`, `name?(condition)`, `a|b`, with the groups written out. */
const notation = (text: string, groups: Record<string, string>): readonly string[] =>
  [...text.matchAll(WORD)]
    .flatMap(([, records, optional, group, condition, field = '', when]) => {
      if (records !== undefined) return [`recordList${optional || '!'}[${notation(records, groups).join(' ')}]`];
      if (group !== undefined) return notation(groups[group] ?? `unknown group ${group}`, groups);
      // What it says follows from the shape of the list, which a reply always counts.
      if (field === 'recordNum!') return [];
      return [condition ?? (when === undefined ? field : `${field}(${when})`)];
    })
    .map(word => (word === 'at least one of the optional fields' ? 'at least one' : word))
    .sort();

/**
 * The same of a part. Conditions on the presence of another field are left out: those go beyond the contract's notation,
 * or stand in a note of the other field.
 */
const partText = (part: Part): string => {
  if ('oneOf' in part) return part.oneOf.join('|');
  if ('atLeastOne' in part) return 'at least one';
  if ('list' in part) {
    return `recordList${part.need === 'required' ? '!' : '?'}[${part.of.map(partText).sort().join(' ')}]`;
  }
  const need = part.need === 'required' && !('when' in part) ? '!' : '?';
  const note = 'note' in part ? part.note : conditionText(part);
  return part.field + need + (note === undefined ? '' : `(${note})`);
};

const conditionText = (part: Part): string | undefined =>
  'when' in part && 'is' in part.when ? `required when ${part.when.field} is ${part.when.is}` : undefined;

describe.skipIf(!existsSync(FILE))('the rows are the contract', () => {
  it('has every field with its form, limits, values, default and protection', () => {
    const { fields, publicHeader } = contract();
    const expected = Object.entries({ ...publicHeader.request, ...fields }).map(([name, row]) => [name, yamlText(row)]);
    const actual = Object.keys(FIELDS)
      .filter(isFieldName)
      .filter(name => !ENVELOPE.includes(name))
      .map(name => [name, rowText(fieldRow(name))]);
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
  });

  it('has the nine header fields in their order', () => {
    const expected = Object.entries(contract().publicHeader.request).map(
      ([name, row]) => `${name}${row.required ? '!' : '?'}`,
    );
    expect(HEADER_PARTS.map(partText)).toEqual(expected);
  });

  it('has all 47 APIs in their order', () => {
    expect(APIS.map(row => row.name)).toEqual(contract().apis.map(api => api.name));
    expect(APIS).toHaveLength(47);
  });

  it.each(APIS.map(row => [row.name, row] as const))('%s is what the contract says', (name, row) => {
    const { apis, groups } = contract();
    const api = apis.find(one => one.name === name);
    const { meaning, original, reversible, askAgain, ...facts } = row;
    expect({
      ...facts,
      request: row.request.map(partText).sort(),
      response: row.response.map(partText).sort(),
    }).toEqual({
      // Three modules have no columns in the list.
      ...{ prepaid: '', debit: '' },
      ...api,
      request: notation(api?.request ?? '', groups),
      response: notation(api?.response ?? '', groups),
    });
  });

  it('counts the records of every list of a reply, and of none in a request', () => {
    for (const { name, request, response } of contract().apis) {
      expect(response.includes('recordNum!'), name).toBe(response.includes('recordList['));
      expect(request, name).not.toContain('recordNum');
    }
  });

  it('has every response code', () => {
    expect(Object.keys(RESPONSE_CODES).sort()).toEqual(Object.keys(contract().responseCodes).sort());
  });
});

const isSad = (name: FieldName): boolean => fieldRow(name).data === 'sad';

describe('the rows among themselves', () => {
  it('have numbers, names and paths once', () => {
    for (const key of ['no', 'name', 'path'] as const) {
      expect(new Set(APIS.map(row => row[key])).size).toBe(APIS.length);
    }
  });

  it('name a field once in a message, and never a header field in a request', () => {
    const header = new Set<string>(HEADER_PARTS.map(part => part.field));
    for (const row of APIS) {
      expect(new Set(named(row.request)).size, row.name).toBe(named(row.request).length);
      expect(new Set(named(row.response)).size, row.name).toBe(named(row.response).length);
      expect(
        named(row.request).filter(name => header.has(name)),
        row.name,
      ).toEqual([]);
    }
  });

  it('never repeat a message that may hold sensitive authentication data (PCI DSS 3.3.1)', () => {
    for (const row of APIS) {
      if (row.onUnknown === 'repeat') expect(named(row.request).filter(isSad), row.name).toEqual([]);
      if (row.onUnknownWithOriginal !== 'repeat') continue;
      const allowed = row.request.filter(
        part =>
          named([part]).some(isSad) &&
          !(
            'when' in part &&
            part.need === 'forbidden' &&
            'present' in part.when &&
            part.when.present === 'originalTranId'
          ),
      );
      expect(allowed, row.name).toEqual([]);
    }
  });

  it('ask the issuer again where a sad field of the answer is the whole point, and nowhere else', () => {
    const sadAnswer = (row: ApiRow) =>
      row.response.some(part => 'field' in part && part.need === 'required' && isSad(part.field));
    const commands = APIS.filter(row => row.class === 'command' && sadAnswer(row)).map(row => row.name);
    expect(commands).toEqual(['GenerateDCVV', 'ReplenishTokenLUK']);
    expect(APIS.filter(row => row.askAgain).map(row => row.name)).toEqual(commands);
  });

  it('journal everything but inquiries, and send commands again only when the caller retries', () => {
    for (const row of APIS) {
      expect(row.onUnknown === 'none', row.name).toBe(row.class === 'inquiry');
      expect(row.onUnknown === 'resend', row.name).toBe(row.class === 'command');
    }
  });

  it('make a field depend on the presence of another one only for what must not be stored, or a currency', () => {
    for (const row of APIS) {
      for (const part of row.request) {
        if (!('when' in part) || !('present' in part.when)) continue;
        const isCurrency = [part.field, part.when.present].some(name => name.endsWith('Currency'));
        expect(part.need === 'forbidden' ? isSad(part.field) : isCurrency, `${row.name} ${part.field}`).toBe(true);
      }
    }
  });

  it('say in a line what they do', () => {
    for (const { name, meaning } of APIS) expect(meaning, name).toMatch(/^[A-Z].{10,110}[^.]$/);
    expect(new Set(APIS.map(row => row.meaning)).size).toBe(APIS.length);
  });

  it('say what an original means wherever one may be named, and only there', () => {
    for (const row of APIS) {
      expect(row.original !== undefined, row.name).toBe(named(row.request).includes('originalTranId'));
    }
    const by = (original: ApiRow['original']) => APIS.filter(row => row.original === original).map(row => row.name);
    expect(by('reversed')).toEqual(['Reversal']);
    expect(by('required')).toEqual(['Purchase', 'Refund', 'BlockFund', 'UnblockFund']);
    expect(by('mentioned')).toEqual(['DebitAdjustment', 'CreditAdjustment']);
  });

  it('F40 let a Reversal name Purchase, Withdraw, TransferFund and LoadFund, and nothing else', () => {
    const reversible = APIS.filter(row => row.reversible).map(row => row.name);
    expect(reversible.sort()).toEqual(['LoadFund', 'Purchase', 'TransferFund', 'Withdraw']);
  });

  it('ask for the currency of every amount of a request', () => {
    for (const row of APIS) {
      for (const name of named(row.request)) {
        const { type } = fieldRow(name);
        if (type.kind === 'money' && type.currency !== undefined) {
          expect(named(row.request), `${row.name} ${name}`).toContain(type.currency);
        }
      }
    }
  });
});
