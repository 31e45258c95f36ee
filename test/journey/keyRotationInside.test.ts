/**
 * The keys that clients do not see, replaced each second while calls are made: what the journal is sealed with while undos
 * are open, what we sign with for the issuer, and the certificate of the public port. No call fails (F77), and no undo
 * is lost.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { authority } from '../issuer/certificate.ts';
import { type Answer, call, type Fields, newTranId } from '../support/client.ts';
import type { TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { type Pair, Party, PURCHASE, rootOf, signingPair, writePrivate } from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { purchaseOverTls } from '../support/tlsCall.ts';
import { waitFor } from '../support/waitFor.ts';
import { learn, payment, Rig, UNHURRIED, untilNothingOwed } from './rig.ts';
import { type Begin, type Load, Overlap, ROTATION_TEST, ROTATIONS, reloaded, rotateUnderLoad } from './rotation.ts';

const rig = new Rig();
afterAll(() => rig.end());
const dir = tempDir('inside');

/** It leaves room for the gateway that it is the issuer of. */
const BACK = { client: { budgetMs: 5500 }, issuer: { timeoutMs: 4000, maxProcessingMs: 4000 } };

const endOf = ({ status, body }: Answer): string => `${status} ${body.responseCode}`;
const purchase = (gateway: Gateway, fields: Fields = PURCHASE, tranId = newTranId()) =>
  call(gateway, 'Purchase', fields, { tranId });
/** Asks again as a caller does whom a Redis on a busy machine left without an answer. */
const told = (gateway: Gateway, fields: Fields, tranId: string) => learn(gateway, 'Purchase', fields, { tranId });

describe('F77: rotation each second under load costs no call', () => {
  it.for(['sqlite', 'redis'] as const)(
    'F73 I17: of the key that seals the journal, while undos are open under each of the old ones: %s',
    ROTATION_TEST,
    async (kind, test) => {
      const own = new Rig(test);
      const issuer = await own.issuer();
      const sealKeyFile = join(tempDir('seal'), 'seal.key');
      const newKey = () => randomBytes(32).toString('base64');
      const write = (keys: readonly string[]) => writeFileSync(sealKeyFile, `${keys.join('\n')}\n`, { mode: 0o600 });
      let keys = [newKey()];
      write(keys);
      const journal = kind === 'redis' ? { journalUrl: (await own.redis()).url } : {};
      const gateway = await own.gateway(issuer, { ...UNHURRIED, ...journal, journal: { sealKeyFile } });
      issuer.script('Purchase', { kind: 'resetAfterEffect' }, { where: ({ body }) => body.cardToken === 'doubtful' });
      issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
      const doubts: string[] = [];
      // The first call of a session is sealed under a key that may be an old one by the end of it.
      const begin: Begin = async () => {
        const first = newTranId();
        return async () => endOf(await told(gateway, PURCHASE, first));
      };
      await rotateUnderLoad(begin, async () => {
        const doubt = await told(gateway, payment('doubtful'), newTranId());
        expect(endOf(doubt)).toBe('200 68');
        doubts.push(doubt.tranId);
        const next = newKey();
        write([...keys, next]);
        await reloaded(gateway);
        keys = [next, ...keys];
        write(keys);
        await reloaded(gateway);
        write(keys.slice(0, -1));
        await reloaded(gateway, 'reloadRefused');
      });
      write(keys);
      issuer.heal();
      await issuer.waitFor('all undos', () => issuer.balanceOf('doubtful') === '1000.00');
      await untilNothingOwed(gateway);
      for (const tranId of doubts) {
        expect(endOf(await told(gateway, payment('doubtful'), tranId))).toBe('200 68');
      }
      write(keys.slice(0, 1));
      await reloaded(gateway);
      expect(endOf(await purchase(gateway))).toBe('200 00');
    },
  );

  it('of the key that signs our assertions for the issuer', ROTATION_TEST, async () => {
    const issuer = await rig.issuer();
    const front = new Party('front');
    const keys = new Overlap<Pair>(front.signing[0] ?? signingPair());
    const back = await rig.gateway(issuer, {
      ...BACK,
      change: config => config.clients.push(front.config({ payload: 'plain', budgetMs: 5500 })),
    });
    const credentials = ([pair]: readonly Pair[]) => {
      if (!pair) throw new Error('there is no key');
      const signingKeyFile = writePrivate(join(dir, `${pair.kid}.jwk.json`), pair);
      const endpoint = { tokenEndpoint: `${rootOf(back)}/oauth2/token`, issuer: rootOf(back) };
      return { oauth: { ...endpoint, clientId: front.id, signingKeyFile } };
    };
    const configure = ({ issuers: [entry] }: TestConfig): void => {
      if (entry) entry.credentials = credentials(keys.keys);
    };
    const gateway = await rig.gateway({ baseUrl: back.url }, { ...UNHURRIED, change: configure });
    const rotate = async (load: Load): Promise<void> => {
      await keys.makeRoom(load);
      const added = signingPair();
      keys.announce(added);
      front.signing = keys.keys;
      front.register();
      await reloaded(back);
      keys.use(added);
      gateway.configure(configure);
      await reloaded(gateway);
      expect(endOf(await purchase(gateway))).toBe('200 00');
      keys.settle();
    };
    await rotateUnderLoad(async () => async () => endOf(await purchase(gateway)), rotate);
    const given = () => back.logLines().filter(({ event, result }) => event === 'oauth' && result === 'issued');
    await waitFor('a token by each key', () => given().length > ROTATIONS);
  });

  it('of the certificate of the public port', ROTATION_TEST, async () => {
    const ca = authority({ untilDays: 365 });
    const files = { certFile: join(dir, 'tls.pem'), keyFile: join(dir, 'tls.key') };
    const use = (): void => {
      const { cert, key } = ca.issue('127.0.0.1', { untilDays: 365 });
      writeFileSync(files.certFile, cert);
      writeFileSync(files.keyFile, key, { mode: 0o600 });
    };
    use();
    const gateway = await rig.gateway(await rig.issuer(), { ...UNHURRIED, server: { tls: files } });
    const pay = () => purchaseOverTls(gateway, { ca: ca.cert });
    const serials = new Set([(await pay()).certificate.serialNumber]);
    const begin: Begin = async () => async () => {
      const { status, text } = await pay();
      return `${status} ${JSON.parse(text).responseCode}`;
    };
    await rotateUnderLoad(begin, async () => {
      use();
      await reloaded(gateway);
      serials.add((await pay()).certificate.serialNumber);
    });
    expect(serials.size).toBe(ROTATIONS + 1);
  });
});
