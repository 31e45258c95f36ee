/**
 * Each of the 47 APIs over HTTP through a gateway, with messages made from the catalogue: the good ones reach the issuer as
 * they were sent and its answer comes back whole; the bad ones are refused by name, and nothing of them goes anywhere.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { exampleRequest, exampleResponse } from '../../src/catalogue/example.ts';
import { EXAMPLE_VALUES } from '../../src/catalogue/exampleValues.ts';
import { HEADER_NAMES } from '../../src/catalogue/header.ts';
import type { ApiRow, Part } from '../../src/catalogue/row.ts';
import { MODULES } from '../../src/catalogue/scopes.ts';
import type { WireFields } from '../../src/domain/message.ts';
import { anyRequest } from '../catalogue/arbitrary.ts';
import { allMutants, type Mutant, mutantsTooLong, mutantsWith, mutantsWithout } from '../catalogue/mutants.ts';
import { named } from '../catalogue/rows.ts';
import { API_PATHS, type ApiName } from '../support/apiPaths.ts';
import { type Answer, bodyOf, call, type Fields, newTranId } from '../support/client.ts';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';

const ROWS = APIS.map(row => [row.name, row] as const);
/** Marks messages that the issuer declines at once, whatever they ask for. */
const DECLINED = 'DECLINE';
/** Calls in flight at once: enough to keep gateway and test busy. */
const AT_ONCE = 8;

let issuer: ScriptedIssuer;
let gateway: Gateway;

beforeAll(async () => {
  issuer = await startScriptedIssuer();
  issuer.script('*', { kind: 'decline', code: '05' }, { where: ({ body }) => body.tranCode === DECLINED });
  for (const row of APIS) {
    issuer.script(nameOf(row), { kind: 'answer', fields: { recordNum: undefined, ...ownReply(row) } });
  }
  const retired = APIS.filter(row => row.retired).map(row => row.name);
  gateway = await startGateway({
    issuerUrl: issuer.baseUrl,
    // Long enough for a machine that has other things to do: nothing here is about time.
    client: { scopes: [...MODULES, ...retired], budgetMs: 15_000 },
    issuer: { timeoutMs: 10_000 },
  });
});

afterAll(async () => {
  await gateway.kill9();
  await issuer.stop();
  expect(issuer.violations).toEqual([]);
});

const isApi = (name: string): name is ApiName => Object.hasOwn(API_PATHS, name);
const nameOf = ({ name }: ApiRow): ApiName => {
  if (!isApi(name)) throw new Error(`no path of ${name}`);
  return name;
};

const without = (fields: WireFields, names: readonly string[]): WireFields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
const ownRequest = (row: ApiRow): WireFields => without(exampleRequest(row), HEADER_NAMES);
const ownReply = (row: ApiRow): WireFields =>
  without(exampleResponse(row), [...HEADER_NAMES, 'responseCode', 'responseDesc']);

/** Good messages with the fields that the example does not have: the other one of a choice, and the original. */
const otherRequests = (row: ApiRow): readonly WireFields[] =>
  row.request.flatMap(part => {
    const fields = ownRequest(row);
    if ('oneOf' in part) {
      const rest = without(fields, part.oneOf);
      return part.oneOf.filter(name => !(name in fields)).map(name => ({ ...rest, [name]: EXAMPLE_VALUES[name] }));
    }
    if (!('field' in part) || part.field !== 'originalTranId' || part.field in fields) return [];
    const { originalTranId } = EXAMPLE_VALUES;
    return [{ ...without(fields, named(row.request.filter(other => isForbidden(other)))), originalTranId }];
  });

const isForbidden = (part: Part): boolean => 'need' in part && part.need === 'forbidden';

const send = (row: ApiRow, fields: Fields): Promise<Answer> => call(gateway, nameOf(row), fields);

/** The transaction that a message has to name: a payment, or for a release a hold. */
const withOriginal = async (row: ApiRow): Promise<WireFields> => {
  const fields = ownRequest(row);
  if (!('originalTranId' in fields)) return fields;
  const original = APIS.find(api => api.name === (row.class === 'release' ? 'BlockFund' : 'Purchase')) ?? row;
  const { tranId, body } = await send(original, ownRequest(original));
  expect(body.responseCode).toBe('00');
  return { ...fields, originalTranId: tranId };
};

const errorsOf = ({ body }: Answer): readonly { readonly field: string; readonly reason: string }[] => {
  const { errors } = body;
  return Array.isArray(errors) ? errors : [];
};

/** What is not as it should be about the answer to a bad message; undefined where all is well. */
const complaint = async (row: ApiRow, { what, field, wire }: Mutant): Promise<string | undefined> => {
  const answer = await send(row, wire);
  const named = errorsOf(answer).map(error => error.field);
  if (answer.status === 400 && named.includes(field)) return undefined;
  return `${row.name} ${what}: ${answer.status}, names ${named.join(', ')}`;
};

/** Sends all of them, a few at a time. */
const complaints = async (row: ApiRow, mutants: readonly Mutant[]): Promise<readonly string[]> => {
  const found: string[] = [];
  const left = [...mutants];
  const lane = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const one = await complaint(row, next);
      if (one !== undefined) found.push(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return found;
};

/** Refused, all of them, and the issuer has seen nothing. */
const expectRefused = async (row: ApiRow, mutants: readonly Mutant[]): Promise<void> => {
  const before = issuer.requests.length;
  expect(await complaints(row, mutants)).toEqual([]);
  expect(issuer.requests.length).toBe(before);
};

describe('each API over HTTP', () => {
  it.each(ROWS)('%s passes a good message on, and the answer back', async (_, row) => {
    const fields = await withOriginal(row);
    const answer = await send(row, fields);
    expect(answer.body).toMatchObject({ tranId: answer.tranId, responseCode: '00' });
    expect(answer.status).toBe(200);
    // A Reversal is not passed on: the gateway undoes by a message of its own.
    if (row.class === 'reversal') return;
    const sent = bodyOf(gateway, fields, answer.tranId);
    const { tranTime, tranDate, ...header } = without(answer.body as WireFields, ['responseCode', 'responseDesc']);
    expect(header).toEqual({ ...without(pick(sent), ['tranTime', 'tranDate']), ...ownReply(row) });
    const [request, ...more] = issuer.requestsOf(nameOf(row), answer.tranId);
    expect(request?.path).toBe(`/card-api${API_PATHS[nameOf(row)]}`);
    expect(request?.body).toEqual({ ...sent, tranTime, tranDate });
    expect(more).toEqual([]);
  });

  it.each(ROWS)('S100 %s is refused without a field that it has to have, by name', async (_, row) => {
    const header = bodyOf(gateway, {}, newTranId());
    const required = ['participantId', 'tranBranch', 'tranChnl', 'tranDate', 'tranTime', 'tranId'];
    expect(Object.keys(header)).toEqual(expect.arrayContaining(required));
    const fields = ownRequest(row);
    await expectRefused(row, [
      ...mutantsWithout(row, fields),
      ...required.map(field => ({ what: `without ${field}`, field, wire: { ...fields, [field]: undefined } })),
    ]);
  });

  it.each(ROWS)('S96 %s is refused where a field is too long or of another kind, by name', async (_, row) => {
    const fields = ownRequest(row);
    const tried = new Set<string>();
    const mutantsOf = (message: WireFields) =>
      [mutantsTooLong, mutantsWith(12.5), mutantsWith(null)].flatMap(make => make(row, message));
    const mutants = [fields, ...otherRequests(row)].flatMap((message, index) =>
      mutantsOf(message).filter(({ field }) => index === 0 || !(field in fields)),
    );
    for (const { field } of mutants) tried.add(field.replace(/^.*\./, ''));
    expect([...tried].sort(), 'every field of the row').toEqual([...named(row.request)].sort());
    await expectRefused(row, mutants);
  });
});

/** The header fields of a body. */
const pick = (body: Fields): WireFields =>
  Object.fromEntries(HEADER_NAMES.flatMap(name => (typeof body[name] === 'string' ? [[name, body[name]]] : [])));

describe('messages made from the table', () => {
  const anyCall = fc.constantFrom(...APIS).chain(row => fc.tuple(fc.constant(row), anyRequest(row), fc.nat()));

  it('S96 to S102 passes every good one, and refuses every bad one by name, unsent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: AT_ONCE, maxLength: AT_ONCE }), async calls => {
        const good = await Promise.all(calls.map(([row, fields]) => send(row, { ...fields, tranCode: DECLINED })));
        expect(good.map(({ status }) => status)).toEqual(calls.map(() => 200));
        const before = issuer.requests.length;
        const bad = await Promise.all(
          calls.map(([row, fields, dice]) => {
            const mutants = allMutants(row, fields);
            const mutant = mutants[dice % mutants.length];
            return mutant && complaint(row, mutant);
          }),
        );
        expect(bad.filter(found => found !== undefined)).toEqual([]);
        expect(issuer.requests.length).toBe(before);
      }),
      { numRuns: 40 },
    );
  });
});
