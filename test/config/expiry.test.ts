/** F79: what ends by itself is known in time: listed for the metrics, warned of 30 days before, refused afterwards. */
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/checkConfig.ts';
import { formatProblem } from '../../src/config/config.ts';
import { expiries } from '../../src/config/expiry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { authority } from '../issuer/certificate.ts';
import { CA, FILES, keySampleWith, PAST } from './oauthSample.ts';
import { type Files, place } from './sample.ts';

const DAY_MS = 86_400_000;
const path = place(keySampleWith(), FILES);

/** Loads as if it were so many days later. */
const inDays = (days: number, file = path) => loadConfig(file, {}, { wallMs: () => Date.now() + days * DAY_MS });

const ALL = [
  ['TLS certificate of the public port', 'server.tls.certFile'],
  ['authority of client certificates at the public port', 'server.tls.clientCaFile'],
  ['authority of client acquirer', 'clients[1].oauth.caFile'],
  ['certificate of client acquirer', 'clients[1].oauth.certificateFiles'],
  ['our certificate for issuer bank', 'issuers[0].mtls.certFile'],
  ['authority of issuer bank', 'issuers[0].mtls.caFile'],
] as const;

/** Certificates of a client that are good, below an authority that has ended. */
const endedWithAuthority = (): Files => {
  const old = authority(PAST);
  return {
    'own-ca.pem': old.cert,
    'signer.pem': old.issue('c', { untilDays: 365 }).cert,
    'reader.pem': old.issue('c', { untilDays: 365 }, 'rsa').cert,
  };
};

describe('what expires', () => {
  test('is listed with what it is, the key that names it and its moment', async () => {
    const result = await inDays(0);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const all = expiries(result.config);
    expect(all.map(({ what, path: at }) => [what, at]).toSorted()).toEqual(ALL.map(row => [...row]).toSorted());
    for (const { atMs } of all) expect(Math.abs(atMs - Date.now() - 365 * DAY_MS)).toBeLessThan(DAY_MS);
    expect(result.warnings).toEqual([]);
  });

  test('is listed with the soonest first', async () => {
    const soon = CA.issue('gateway.example', { untilDays: 100 });
    const result = await inDays(0, place(keySampleWith(), { ...FILES, 'mtls.pem': soon.cert, 'mtls.key': soon.key }));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(expiries(result.config)[0]?.what).toBe('our certificate for issuer bank');
  });

  test('is no warning 31 days before, and one with its date 29 days before', async () => {
    expect((await inDays(365 - 31)).warnings).toEqual([]);
    const result = await inDays(365 - 29);
    expect(result.ok).toBe(true);
    expect(result.warnings.map(warning => warning.path).toSorted()).toEqual(ALL.map(([, at]) => at).toSorted());
    for (const warning of result.warnings) {
      expect(warning.what).toMatch(/expires on \d{4}-\d\d-\d\d, in 2[89] days$/);
      expect(warning.line).toBeGreaterThan(1);
    }
  });

  test('is a problem once it has expired, each at its key', async () => {
    const result = await inDays(366);
    const problems = result.ok ? [] : result.problems;
    // Where the authority has ended, what it issued is not told as well.
    const named = ALL.map(([, at]) => at).filter(at => !at.startsWith('clients'));
    expect(problems.map(problem => problem.path).toSorted()).toEqual(named.toSorted());
    expect(result.disabled.map(problem => problem.path)).toEqual(['clients[1].oauth.caFile']);
    for (const problem of [...problems, ...result.disabled])
      expect(formatProblem(problem)).toMatch(/expired on \d{4}-\d\d-\d\d/);
  });

  test.each<[string, Files, string]>([
    ['a certificate', { 'signer.pem': CA.issue('c', PAST).cert }, 'clients[1].oauth.certificateFiles'],
    ['an authority', endedWithAuthority(), 'clients[1].oauth.caFile'],
  ])('%s of a client does not stop the gateway, and is a problem all the same', async (_, files, at) => {
    const ended = place(keySampleWith(['caFile: ca.pem\n    allowFrom', 'caFile: own-ca.pem\n    allowFrom']), {
      ...FILES,
      'own-ca.pem': CA.cert,
      ...files,
    });
    const result = await inDays(0, ended);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.disabled.map(({ path: named }) => named)).toEqual([at]);
    expect(result.warnings).toEqual([]);
    expect(expiries(result.config)[0]?.atMs).toBeLessThan(Date.now());
    const lines: string[] = [];
    expect(await checkConfig(ended, {}, line => lines.push(line))).toBe(1);
    expect(lines.at(-1)).toMatch(/: 1 problem, 0 warnings$/);
  });

  test('an ended certificate of a client hides not when its next one ends', async () => {
    const text = keySampleWith(['[signer.pem, reader.pem]', '[old.pem, signer.pem, reader.pem]']);
    const result = await inDays(0, place(text, { ...FILES, 'old.pem': CA.issue('c', PAST).cert }));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const own = expiries(result.config).filter(({ what }) => what === 'certificate of client acquirer');
    expect(own.map(({ atMs }) => Math.round((atMs - Date.now()) / DAY_MS))).toEqual([-1, 365]);
  });

  test('an ended authority beside a valid one is a warning, and does not count', async () => {
    const old = authority({ fromDays: -10, untilDays: -1 });
    const result = await inDays(0, place(keySampleWith(), { ...FILES, 'ca.pem': old.cert + CA.cert }));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.warnings.map(({ what }) => what)).toEqual(
      Array.from({ length: 3 }, () => 'names a file in which 1 of the authorities have expired'),
    );
    for (const { atMs } of expiries(result.config)) expect(atMs).toBeGreaterThan(Date.now());
  });
});
