/**
 * Sensitive authentication data of every API: it goes to the issuer and comes back to the caller in the live answer, and is
 * nowhere else, not even sealed: not in the journal, the log, the metrics, a replay or a refusal (PCI DSS 3.3.1).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { FIELDS } from '../../src/catalogue/fields.ts';
import { CANARY_CVV2, CANARY_PIN_BLOCK, type Canary, findCanaries } from '../support/canary.ts';
import { type Answer, call, type Fields, newTranId, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { filesIn, opened, redisFiles, redisRecords, sqliteRecords } from './atRest.ts';
import { ALL_SCOPES, type Example, exampleNamed } from './examples.ts';
import { Rig } from './rig.ts';

const VALUES: Readonly<Record<string, string>> = {
  CVV2: CANARY_CVV2,
  DCVV: '7402',
  pinBlock: CANARY_PIN_BLOCK,
  newPinBlock: '9C41D07B2E6A58F3',
  otp: '58172046',
  hceCardInfo: 'canary-hce-Xq81',
  lukInfo: 'canary-luk-Pm37',
};
const CANARIES: readonly Canary[] = Object.entries(VALUES).map(([name, value]) =>
  value.length < 6 ? { name, value, alone: true } : { name, value },
);
const sightings = (text: string | Uint8Array) => findCanaries(text, CANARIES).map(found => `${found.name} sighted`);

/** The fields with the canaries in place of their sad values, at any depth. */
const planted = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (Array.isArray(value)) return [name, value.map(item => (typeof item === 'object' ? planted(item) : item))];
      return [name, VALUES[name] ?? value];
    }),
  );
const canariesIn = (fields: Fields): string[] =>
  CANARIES.map(each => each.name).filter(n => text(fields).includes(`"${n}"`));
const text = (value: unknown) => JSON.stringify(value);

const EXAMPLES: readonly Example[] = APIS.map(({ name }) => exampleNamed(name as string as Example['api']))
  .map(each => ({ ...each, fields: planted(each.fields), answer: planted(each.answer) }))
  .filter(({ fields, answer }) => canariesIn({ ...fields, answer }).length > 0);

type Heard = { readonly answer: Answer; readonly isLive: boolean };

/** Everything that can become of a message with such fields; all that was heard. */
async function playOne(gateway: Gateway, issuer: ScriptedIssuer, { api, fields, answer }: Example): Promise<Heard[]> {
  const heard: Heard[] = [];
  const tell = async (tranId: string, own: Fields = fields) => {
    const told = await call(gateway, api, own, { tranId });
    const { responseCode } = told.body;
    const isReplay = told.headers['idempotent-replayed'] !== undefined;
    heard.push({ answer: told, isLive: !isReplay && (responseCode === '00' || responseCode === '55') });
    return told;
  };
  /** An issuer that quotes in its text what it was sent, or what it says beside it. */
  const quoting = (quoted: Fields) => ({
    responseDesc: canariesIn(quoted)
      .map(name => VALUES[name])
      .join(' '),
  });
  const [approved, declined, doubt] = [newTranId(), newTranId(), newTranId()];
  issuer.script(
    api,
    { kind: 'answer', fields: { ...answer, ...quoting({ ...fields, answer }) } },
    { tranId: approved },
  );
  issuer.script(api, { kind: 'answer', fields: { responseCode: '55', ...quoting(fields) } }, { tranId: declined });
  issuer.script(api, { kind: 'resetAfterEffect' }, { tranId: doubt, times: 1 });
  issuer.script(api, { kind: 'answer', fields: answer }, { tranId: doubt });
  for (const tranId of [approved, declined, doubt]) {
    await tell(tranId);
    await tell(tranId);
  }
  await tell(approved, { ...fields, ...('cardToken' in fields ? { cardToken: 'x' } : { memo: 'x' }) });
  for (const name of canariesIn(fields))
    await tell(newTranId(), { ...fields, [name]: `${VALUES[name]}:${VALUES[name]}` });
  return heard;
}

it('every sad field of the catalogue has a canary, and an API in which it goes', () => {
  const sad = Object.entries(FIELDS).filter(([, row]) => 'data' in row && row.data === 'sad');
  expect(Object.keys(VALUES).sort()).toEqual(sad.map(([name]) => name).sort());
  expect(new Set(EXAMPLES.flatMap(({ fields, answer }) => canariesIn({ ...fields, answer }))).size).toBe(sad.length);
  expect(EXAMPLES.length).toBeGreaterThan(12);
});

describe.each(['sqlite', 'redis'] as const)('I14 sad fields of all APIs, with the journal in %s', kind => {
  const rig = new Rig();
  const folder = tempDir('sad');
  const file = join(folder, 'gateway.db');
  let redis: RedisServer | undefined;
  let gateway: Gateway;
  let heard: Heard[] = [];
  beforeAll(async () => {
    const issuer = await rig.issuer();
    redis = kind === 'redis' ? await rig.redis({ appendfsync: 'always' }) : undefined;
    gateway = await rig.gateway(issuer, {
      journalUrl: redis?.url ?? `sqlite:${file}`,
      client: { scopes: ALL_SCOPES, budgetMs: 8000 },
      issuer: { timeoutMs: 4000, maxProcessingMs: 4000, breaker: { minimumCalls: 100_000 } },
    });
    heard = (await Promise.all(EXAMPLES.map(example => playOne(gateway, issuer, example)))).flat();
    const headers = { 'content-type': 'application/json' };
    await post(`${gateway.adminUrl}/admin/standby`, '{"location":"https://other.example"}', { headers });
    for (const { api, fields } of EXAMPLES) heard.push({ answer: await call(gateway, api, fields), isLive: false });
  }, 60_000);
  afterAll(() => rig.end());

  it('the calls were what they should be, and the live answers hold what was asked for', () => {
    const kinds = new Set(heard.map(({ answer: { status, body } }) => `${status} ${String(body.responseCode)}`));
    expect([...kinds].sort()).toEqual(
      ['200 00', '200 09', '200 55', '200 68', '200 91', '307 91', '400 30', '400 94'].sort(),
    );
    const live = heard.filter(({ isLive }) => isLive).flatMap(({ answer }) => sightings(answer.text));
    expect(new Set(live)).toEqual(new Set(CANARIES.map(({ name }) => `${name} sighted`)));
  });

  it('no replay, refusal or doubt tells one, and no header', () => {
    const told = heard.filter(({ isLive }) => !isLive).map(({ answer }) => answer.text);
    expect(told.length).toBeGreaterThan(50);
    expect([...told, ...heard.map(({ answer }) => text(answer.headers))].flatMap(sightings)).toEqual([]);
  });

  it('no metric and no stored byte holds one, while the journal is in use', async () => {
    expect(sightings(await gateway.metrics())).toEqual([]);
    const files = redis ? await redisFiles(redis) : filesIn(folder);
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap(name => sightings(readFileSync(name)))).toEqual([]);
    if (redis) expect(sightings(await redis.content())).toEqual([]);
  });

  it('nothing that was printed holds one, and nothing that is sealed', async () => {
    expect(await gateway.sigterm()).toBe(0);
    expect(sightings(gateway.log())).toEqual([]);
    const texts = opened(redis ? await redisRecords(redis) : sqliteRecords(file));
    expect(texts.length).toBeGreaterThan(40);
    expect(sightings(texts.join('\n'))).toEqual([]);
    for (const name of Object.keys(VALUES)) expect(texts.join('\n')).not.toContain(`"${name}"`);
  });
});
