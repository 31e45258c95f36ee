/**
 * The readers that no other test feeds with chance: addresses of journals, stored records, sealed texts, lines of
 * revocation, certificates' bytes, request heads, timestamps, and the replies of token endpoints, issuers and of the
 * gateway to its own client. Each gives a value of its form or says no, and quotes nothing. `npm run fuzz` runs more.
 */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowOf } from '../../src/catalogue/apis.ts';
import { readAnswer, readRefusal } from '../../src/client/result.ts';
import { Fault } from '../../src/config/fault.ts';
import { describeJournal, journalHosts, parseJournalUrl } from '../../src/config/journalUrl.ts';
import { born, type Sealed } from '../../src/domain/entry.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { isDefinite } from '../../src/domain/responseCode.ts';
import { Secret } from '../../src/domain/secret.ts';
import { fromBase64url, toBase64url } from '../../src/edge/base64url.ts';
import { oidText, readAll, smallInteger } from '../../src/edge/der.ts';
import { checkTimestamp } from '../../src/edge/timestamp.ts';
import { forwardedHops, headError, headOf } from '../../src/http/requestHead.ts';
import { readIssuerReply } from '../../src/issuer/reply.ts';
import { readTokenReply } from '../../src/issuer/tokenRequest.ts';
import { JournalDefect } from '../../src/journal/notice.ts';
import { answerOf, decode, headOf as storedHeadOf } from '../../src/journal/record.ts';
import { liftedLine, shownOf, standingOf, tokensLine } from '../../src/journal/revoked.ts';
import { keyNameOf, partsOf, sealedOf } from '../../src/journal/sealed.ts';
import { createVault, VaultError } from '../../src/journal/vault.ts';
import { changed, fuzzRuns, mutated } from '../edge/mutations.ts';
import { approvalOf, messageOf } from '../issuer/messages.ts';
import { drafts, keyNamed, live, steps } from '../journal/entries.ts';

const RUNS = fuzzRuns(500);
const TEST = { timeout: 30_000 + RUNS * 5 } as const;
const check = <Values>(property: fc.IProperty<Values>): void => fc.assert(property, { numRuns: RUNS });
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** What `run` gives; undefined where it threw an error of this kind. Any other error is thrown on, and fails. */
function unless<T>(Kind: new (...args: never[]) => Error, run: () => T, look: (error: Error) => void = () => {}) {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Kind)) throw error;
    look(error);
    return undefined;
  }
}

const INT_AND_FLAG = ['number', 'boolean'];

/** An object with one of its objects changed. */
const changedInside = (object: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> => {
  const parts = Object.entries(object).flatMap(([name, part]) =>
    typeof part === 'object' && part !== null ? [[name, { ...part }] as const] : [],
  );
  return fc.constantFrom(...parts).chain(([name, part]) => changed(part).map(other => ({ ...object, [name]: other })));
};

describe('the address of the journal', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'redis',
      'rediss',
      '+sentinel',
      '+cluster',
      '://',
      ':',
      '@',
      '/',
      ',',
      '[::1]',
      '%',
      '%41',
      'a',
      '',
    ),
    fc.constantFrom('sqlite:', ':memory:', '65535', '65536', '0', '\n', '\0', 'ä', '..', 'h:1'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );

  it('of any pieces is a target or a fault, and no fault and no log quotes the login', TEST, () => {
    check(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.array(part, { maxLength: 6 }),
        fc.boolean(),
        (a, b, withLogin) => {
          const [before, after] = [a.join(''), b.join('')];
          const text = withLogin ? `redis://${before}hunter2hunter2@${after}` : before + after;
          const target = parseJournalUrl(text, '/etc');
          const said = target instanceof Fault ? target.what + target.mend : describeJournal(target);
          expect(said).not.toContain('hunter2');
          if (target instanceof Fault) return;
          expect(JSON.stringify(target)).not.toContain('hunter2');
          for (const { host, port } of journalHosts(target)) {
            expect(host).not.toBe('');
            expect(port).toBeGreaterThan(0);
            expect(port).toBeLessThan(65_536);
          }
        },
      ),
    );
  });

  it('is read as it was put together, whatever is in user and password', TEST, () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const node = fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 }));
    const nodes = fc.array(node, { minLength: 1, maxLength: 5 });
    check(
      fc.property(word, word, nodes, fc.boolean(), (user, password, hosts, tls) => {
        const list = hosts.map(([host, port]) => `${host}:${port}`).join(',');
        const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
        const target = parseJournalUrl(`redis${tls ? 's' : ''}+cluster://${login}@${list}`, '/etc');
        if (target instanceof Fault || target.kind !== 'cluster') throw new Error('not read');
        expect([target.tls, target.username, target.password?.reveal()]).toEqual([tls, user, password]);
        expect(target.nodes).toEqual(hosts.map(([host, port]) => ({ host, port })));
      }),
    );
  });
});

describe('what the journal holds', () => {
  it('F73: a record of any text is an entry that is written the same, or a defect without content', TEST, () => {
    const story = fc.tuple(drafts, fc.array(steps, { maxLength: 8 }));
    const broken = story.chain(([draft, told]) => {
      const first = born(draft, 1_700_000_000_000);
      const entry = live(first, told).at(-1)?.after ?? first;
      const head = storedHeadOf(entry);
      const heads = fc.oneof(
        mutated(head),
        changed(JSON.parse(head)).map(object => JSON.stringify(object)),
        changedInside(JSON.parse(head)).map(object => JSON.stringify(object)),
        fc.jsonValue().map(value => JSON.stringify(value)),
      );
      return heads.map(text => [entry, text] as const);
    });
    check(
      fc.property(broken, ([entry, head]) => {
        const { version, claimedAt: at, message } = entry;
        const record = { version, at, head, message, answer: answerOf(entry) };
        const read = unless(
          JournalDefect,
          () => decode(entry.key, record),
          ({ message: said }) => expect(said).not.toContain('"fence"'),
        );
        if (!read) return;
        expect(decode(entry.key, { ...record, head: storedHeadOf(read) })).toEqual(read);
        const { standing, duty } = read;
        if (standing.at === 'claimed')
          expect([typeof standing.leaseUntil, typeof standing.marked]).toEqual(INT_AND_FLAG);
        if (duty.is === 'due') expect([typeof duty.nextAt, typeof duty.absentSeen]).toEqual(INT_AND_FLAG);
      }),
    );
  });

  it('I14: a sealed text that was changed is not opened', TEST, () => {
    const vault = createVault([new Secret<Uint8Array>(new Uint8Array(32).fill(7))]);
    const key = keyNamed('V1');
    const answer = { code: '00', desc: 'approved', fields: new Secret({ authCode: 'A1' }) } as const;
    const sealed = vault.sealAnswer(key, answer);
    check(
      fc.property(mutated(sealed), text => {
        expect(typeof vault.keyOf(text as Sealed)).toBe('string');
        const opened = unless(VaultError, () => vault.openAnswer(key, text as Sealed));
        // The alphabet of base64 has two spellings, and characters outside it are skipped: the bytes are what counts.
        if (opened) {
          expect(opened.code).toBe('00');
          expect(Buffer.from(text.split('.')[2] ?? '', 'base64url')).toEqual(
            Buffer.from(sealed.split('.')[2] ?? '', 'base64url'),
          );
        }
      }),
    );
  });

  it('the outer form of a sealed text is its parts, or nothing', TEST, () => {
    check(
      fc.property(
        fc.string({ unit: fc.constantFrom('v1', 'v2', 'v', '.', '.', 'k', '_', 'ä'), maxLength: 7 }),
        text => {
          const parts = partsOf(text as Sealed);
          expect(keyNameOf(text as Sealed)).toBe(parts?.keyName);
          if (parts) expect(sealedOf(parts.keyName, parts.body).slice(2)).toBe(text.slice(2));
          if (parts) expect(text.slice(0, 2)).toBe(parts.version);
        },
      ),
    );
  });

  it('lines of revocation of any kind say what holds, or are a defect', TEST, () => {
    const id = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '/', '1', '-', '.', 'e', ' '), maxLength: 10 }),
      fc.nat().map(seconds => tokensLine('bank', seconds).id),
      fc.nat().map(atMs => liftedLine({ kind: 'client', id: 'bank/1-x' }, atMs).id),
    );
    const line = fc.record({
      kind: fc.constantFrom('client', 'tokens', 'jti', 'lifted'),
      id,
      untilMs: fc.nat(),
    });
    check(
      fc.property(fc.array(line, { maxLength: 8 }), lines => {
        const standing = unless(JournalDefect, () => standingOf(lines));
        const shown = unless(JournalDefect, () => shownOf(lines));
        for (const seconds of standing?.validFrom.values() ?? []) expect(Number.isSafeInteger(seconds)).toBe(true);
        if (shown) expect(standing).toBeDefined();
      }),
    );
  });
});

describe('texts and bytes at the edge', () => {
  it('base64url has one spelling', TEST, () => {
    const text = fc.string({ unit: fc.constantFrom(...'AZaz09-_=+/ \n'), maxLength: 12 });
    check(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 9 }).map(toBase64url)), given => {
        const bytes = fromBase64url(given);
        if (bytes) expect(toBase64url(bytes)).toBe(given);
        else expect(given).not.toMatch(/^(?:[A-Za-z0-9_-]{4})*$/);
      }),
    );
  });

  it('DER of any bytes is its elements without a rest, or nothing', TEST, () => {
    const element = fc
      .tuple(fc.constantFrom(2, 3, 4, 6, 0x30, 0xa0), fc.uint8Array({ maxLength: 140 }))
      .map(([tag, content]) => [tag, ...(content.length < 128 ? [] : [0x81]), content.length, ...content]);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map(array => [...array]),
      fc.array(element, { maxLength: 3 }).map(all => all.flat()),
    );
    check(
      fc.property(bytes, given => {
        const elements = readAll(Uint8Array.from(given));
        if (!elements) return;
        expect(elements.flatMap(({ whole }) => [...whole])).toEqual(given);
        for (const each of elements) {
          // What its own length octets say.
          const [, first = 0, second = 0] = each.whole;
          if (first <= 0x81) expect(first < 0x80 ? first : second).toBe(each.content.length);
          readAll(each.content);
          expect(oidText(each) ?? '1.2').toMatch(/^\d+(\.\d+)+$/);
          expect(smallInteger(each) ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('S105: a timestamp of any text is 1 to 15 digits within the tolerance, or refused', TEST, () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789', '-', '+', '.', 'e', ' ', '٣'), maxLength: 17 }),
      fc.nat(1_000_000).map(ms => String(1_795_233_000_000 + ms)),
    );
    check(
      fc.property(text, value => {
        const passed = unless(Refusal, () => checkTimestamp(value, 1_795_233_592_181, 300) ?? true);
        if (passed === undefined) return;
        expect(value).toMatch(/^[0-9]{1,15}$/);
        const ms = Number(value) * (value.length <= 11 ? 1000 : 1);
        expect(Math.abs(ms - 1_795_233_592_181)).toBeLessThanOrEqual(300_000);
      }),
    );
  });

  it('S117: a head of any headers is read, and its hops are all there', TEST, () => {
    const name = fc.constantFrom('Host', 'host', 'X-Forwarded-For', 'timestamp', '__proto__', 'constructor', 'Accept');
    const value = fc.string({ unit: fc.constantFrom('a', ',', ' ', '1', '.', ':', '[', ']', '%', '@'), maxLength: 12 });
    check(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 120 }), value, (headers, url) => {
        const incoming = new IncomingMessage(new Socket());
        incoming.rawHeaders = headers.flat();
        incoming.url = url;
        const head = headOf(incoming);
        const hops = headers.filter(([each]) => each === 'X-Forwarded-For').flatMap(([, text]) => text.split(','));
        expect(forwardedHops(head)).toEqual(hops.map(hop => hop.trim()));
        const error = headError(incoming, head);
        if (error) return;
        expect(headers.length).toBeLessThanOrEqual(64);
        expect(headers.filter(([each]) => each.toLowerCase() === 'host')).toHaveLength(1);
        expect(url.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('replies', () => {
  const message = messageOf();
  const purchase = rowOf(message.api);
  const approval = approvalOf(message, { tranAmount: '12.50', tranCurrency: '840' });

  it('F21: an approval that was changed is an answer only if it is about this message and money', TEST, () => {
    const texts = fc.oneof(
      mutated(JSON.stringify(approval)),
      changed(approval).map(each => JSON.stringify(each)),
    );
    check(
      fc.property(texts, fc.constantFrom<200 | 400>(200, 400), (text, status) => {
        const outcome = readIssuerReply(status, bytesOf(text), message, purchase);
        if (outcome.kind !== 'answered') return;
        const { participantId, tranId, tranAmount = '12.50', tranCurrency = '840' } = JSON.parse(text);
        const { header } = message;
        expect([participantId, tranId, tranCurrency]).toEqual([header.participantId, header.tranId, '840']);
        expect(Number(tranAmount)).toBe(12.5);
        expect(isDefinite(outcome.answer.code)).toBe(true);
        if (status === 400) expect(outcome.answer.code).not.toBe('00');
      }),
    );
  });

  it("a token endpoint's reply is a token with a life, or a failure of a closed form", TEST, () => {
    const good = { access_token: 'abc.def-_~+/=', token_type: 'Bearer', expires_in: 60, scope: 'x' };
    const texts = fc.oneof(
      mutated(JSON.stringify(good)),
      changed(good).map(each => JSON.stringify(each)),
    );
    check(
      fc.property(texts, fc.constantFrom(200, 400, 401, 429, 500, 302), (text, status) => {
        const reply = readTokenReply(status, bytesOf(text));
        if (reply.kind === 'failed') {
          expect(reply.code).toMatch(/^[A-Za-z_0-9]{1,40}$/);
          return;
        }
        expect(status).toBe(200);
        expect(JSON.parse(text).access_token).toBe(reply.token.reveal());
        expect(reply.lifeMs).toBeGreaterThan(0);
        expect(reply.lifeMs).toBeLessThanOrEqual(86_400_000);
      }),
    );
  });

  it('the client takes from an answer only what echoes its message and is of its form', TEST, () => {
    const sent = { participantId: '100000', tranId: 'T1' };
    const good = { ...sent, responseCode: '00', responseDesc: 'approved', recordList: [{ a: 'b' }] };
    const texts = fc.oneof(
      mutated(JSON.stringify(good)),
      changed(good).map(each => JSON.stringify(each)),
    );
    check(
      fc.property(texts, fc.constantFrom(307, 400, 403, 500, 503), (text, status) => {
        const headers = new Headers({ 'retry-after': text.replaceAll(/[^\x20-\x7e]/g, '') });
        const refused = readRefusal({ kind: 'received', status, headers, text });
        expect(refused.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
        for (const { field, reason } of refused.errors)
          expect([typeof field, typeof reason]).toEqual(['string', 'string']);
        const answer = readAnswer('Purchase', sent, text, headers);
        if (answer.kind === 'badAnswer') return;
        expect(JSON.parse(text)).toMatchObject(sent);
        expect(answer.kind === 'approved').toBe(JSON.parse(text).responseCode === '00');
      }),
    );
  });
});
