/**
 * The OpenAPI document against a public linter, against a public validator, and against the gateway's own checks: what
 * the one takes the other takes, and what a schema can refuse it refuses.
 */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { exampleRequest, exampleResponse } from '../../src/catalogue/example.ts';
import { FIELDS } from '../../src/catalogue/fields.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import { validateRequest } from '../../src/catalogue/validate.ts';
import { REFUSALS } from '../../src/domain/refusal.ts';
import { openapiDocument, openapiText } from '../../src/openapi/document.ts';
import { anyHeader, anyReply, anyRequest } from '../catalogue/arbitrary.ts';
import { allMutants } from '../catalogue/mutants.ts';
import { at, DOCUMENT, faults, operationAt } from './validator.ts';

const schemaOf = (name: string) => ['components', 'schemas', name] as const;
const request = (row: ApiRow) => schemaOf(`${row.name}Request`);
const response = (row: ApiRow) => schemaOf(`${row.name}Response`);

describe('the document', () => {
  it.each([true, false])('has nothing that a strict linter would say a word about (OAuth: %s)', async oauth => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const source = JSON.stringify(openapiDocument({ basePath: '/card-api', oauth }));
    const problems = await lintFromString({ source, absoluteRef: '/openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it('has the 47 APIs, each once, and every field', () => {
    const operations = APIS.map(row => operationAt(row.path));
    expect(operations.map(operation => operation.operationId)).toEqual(APIS.map(row => row.name));
    expect(new Set(operations.map(operation => operation.operationId)).size).toBe(47);
    expect(Object.keys(FIELDS).filter(name => !Object.hasOwn(at('components', 'schemas'), name))).toEqual([]);
  });

  it('says of each API its class, its policy for doubts, and whether it is retired', () => {
    for (const row of APIS) {
      expect(operationAt(row.path)).toMatchObject({
        tags: [row.module],
        'x-class': row.class,
        'x-on-unknown': row.onUnknown,
        ...(row.retired ? { deprecated: true } : {}),
      });
    }
    expect(APIS.filter(row => operationAt(row.path).deprecated).map(row => row.name)).toEqual(['BlacklistUpdate']);
  });

  it('has every status that a call can be answered with, each with its response codes', () => {
    const statuses = [...new Set(Object.values(REFUSALS).map(row => String(row.status)))];
    for (const row of APIS) {
      const there = Object.keys(at('paths', row.path, 'post', 'responses'));
      expect(there).toEqual(expect.arrayContaining(['200', '307', ...statuses]));
    }
    const codes = Object.values(REFUSALS)
      .filter(row => row.status === 400)
      .map(row => row.code);
    for (const responseCode of codes) {
      const body = { responseCode, responseDesc: 'x', errors: [{ field: 'tranId', reason: 'is required' }] };
      expect(faults(body, ...BAD_REQUEST, 'schema')).toEqual([]);
      // Another client's tranId: nothing but 94 is told.
      const withoutErrors = faults({ ...body, errors: [] }, ...BAD_REQUEST, 'schema');
      expect([responseCode, withoutErrors.length === 0]).toEqual([responseCode, responseCode === '94']);
    }
    expect(faults({ responseCode: '51', responseDesc: 'x', errors: [] }, ...BAD_REQUEST, 'schema')).not.toEqual([]);
  });

  it('is the same when it is made while calls are served, and does not hold those up', async () => {
    let turns = 0;
    const counting = setImmediate(function count() {
      turns += 1;
      next = setImmediate(count);
    });
    let next = counting;
    const text = await openapiText({ basePath: '/card-api', oauth: true });
    clearImmediate(next);
    expect(text).toBe(JSON.stringify(DOCUMENT));
    expect(turns).toBeGreaterThanOrEqual(APIS.length - 1);
  });

  it('without OAuth has none of it', () => {
    const text = JSON.stringify(openapiDocument({ basePath: '', oauth: false }));
    expect(text).not.toMatch(/oauth2\/token|application\/jose|getAccessToken|"oauth"/);
    expect(JSON.parse(text).servers[0].url).toBe('/');
  });
});

const BAD_REQUEST = ['components', 'responses', 'BadRequest', 'content', 'application/json'] as const;

/** Wrong in a way that only a calculation shows, which no schema can do. */
const CALCULATED = /Luhn|YYYYMMDD|decimals|at most 100|16 digits/;

describe('its schemas', () => {
  it.each(APIS)('$name: take every example', row => {
    for (const extent of ['complete', 'least'] as const) {
      expect(faults(exampleRequest(row, extent), ...request(row))).toEqual([]);
      expect(faults(exampleResponse(row, extent), ...response(row))).toEqual([]);
    }
  });

  it.each(APIS)('$name: take every request and every reply that the gateway takes', row => {
    fc.assert(
      fc.property(anyHeader, anyRequest(row), anyReply(row), (header, fields, reply) => {
        expect(faults({ ...header, ...fields }, ...request(row))).toEqual([]);
        const outcome = { responseCode: '00', responseDesc: 'approved' };
        expect(faults({ ...header, ...outcome, ...reply }, ...response(row))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it.each(APIS)('$name: refuse what the gateway refuses, calculations aside', row => {
    const good = exampleRequest(row);
    const passed = allMutants(row, good).filter(({ wire }) => faults(wire, ...request(row)).length === 0);
    const why = passed.map(({ what, wire }) => [what, validateRequest(row, wire).findings.map(one => one.reason)]);
    expect(why.filter(([, reasons]) => !CALCULATED.test(String(reasons)))).toEqual([]);
  });

  it.each(APIS)('$name: promise what is required with an approval alone', row => {
    const declined = { responseCode: '05', responseDesc: 'do not honour' };
    const own = Object.keys(exampleResponse(row, 'least')).filter(name => !(name in exampleRequest(row)));
    const envelope = Object.fromEntries(
      Object.entries(exampleResponse(row, 'least')).filter(([name]) => !own.includes(name)),
    );
    expect(faults({ ...envelope, ...declined }, ...response(row))).toEqual([]);
    const promised = own.filter(name => !Object.hasOwn(declined, name));
    const approved = { ...envelope, responseCode: '00', responseDesc: 'approved' };
    expect(faults(approved, ...response(row)).length > 0).toBe(promised.length > 0);
  });

  it('says of a protected field how it is protected', () => {
    expect(at('components', 'schemas', 'CVV2')).toMatchObject({ 'x-data-class': 'sad' });
    expect(DOCUMENT.openapi).toBe('3.1.0');
  });
});
