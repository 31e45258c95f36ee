/**
 * The operations that primitives measure, one row each: prepared once, then done again and again. They are the gateway's own
 * code, or, as the measure for it, what Node's crypto does with nothing around it.
 */
import { constants, createPrivateKey, privateDecrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiByName } from '../../src/catalogue/apis.ts';
import { environment, poolThreads } from '../../src/config/environment.ts';
import { parseJournalUrl } from '../../src/config/journalUrl.ts';
import { apply, type Sealed } from '../../src/domain/entry.ts';
import type { ApiName, ClientId, IssuerId, ParticipantId, TranId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createPayloadCipher } from '../../src/edge/jwe.ts';
import { isKeyFault, parseClientJwks, parseOpeningKey } from '../../src/edge/keys.ts';
import { createNodeEngine } from '../../src/edge/nodeEngine.ts';
import { parseMessage } from '../../src/edge/parse.ts';
import { createGuardedIssuer } from '../../src/issuer/breaker.ts';
import type { IssuerConnector } from '../../src/issuer/issuer.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { Steps } from '../../src/journal/steps.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom, systemSecretBytes } from '../../src/runtime/random.ts';
import { idOf } from '../peers/ids.ts';
import { purchaseAround } from '../peers/loads.ts';
import { seal, sealingTo } from '../peers/pool.ts';

export type Input = {
  /** The gateway's private RSA key. */
  readonly payloadKeyFile: string;
  /** The public keys of a client whose answers are encrypted. */
  readonly clientKeysFile: string;
  /** An empty database of Redis, and an empty folder. */
  readonly redisUrl: string;
  readonly dir: string;
};

export type Operation = {
  readonly step: () => unknown;
  /** How many are under way at a time; more than one where they wait for something. */
  readonly inFlight: number;
  readonly end?: () => Promise<void>;
};

const PARTICIPANT = '100000';
const HOUR_MS = 3_600_000;
const BUDGET_MS = 3_000;
const LEASE_MS = 5_000;
/** As many as the bench's connections. */
const CALLS_IN_FLIGHT = 64;
/** More than any pool has threads. */
const OPENING_IN_FLIGHT = 16;
/** What a sealed message of the bench is long, about. */
const SEALED_CHARS = 480;
const FAILING_EVERY = 10;

/** A Purchase of the bench, as callers send it. */
const purchaseText = (number: number): string => {
  const { before, after } = purchaseAround(PARTICIPANT, new Date());
  return before + idOf(number) + after;
};

function rsaPrivate({ payloadKeyFile }: Input): Operation {
  const key = createPrivateKey({ key: JSON.parse(readFileSync(payloadKeyFile, 'utf8')), format: 'jwk' });
  // Any number below the modulus; this one begins with a zero byte.
  const input = Buffer.alloc(256, 0x5a).fill(0, 0, 1);
  return { inFlight: 1, step: () => privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, input) };
}

const cipher = () => createPayloadCipher(createNodeEngine(systemSecretBytes));

async function jweOpen({ payloadKeyFile }: Input): Promise<Operation> {
  const key = proved(await parseOpeningKey(readFileSync(payloadKeyFile, 'utf8'), poolThreads(environment)));
  const jwe = Buffer.from(seal(purchaseText(0), sealingTo(payloadKeyFile)));
  const { open } = cipher();
  return { inFlight: OPENING_IN_FLIGHT, step: () => open(jwe, [key]) };
}

async function jweSeal({ clientKeysFile }: Input): Promise<Operation> {
  const { encryption } = proved(await parseClientJwks(readFileSync(clientKeysFile, 'utf8'), { needsEncryption: true }));
  if (!encryption) throw new Error('the client has no key to seal for');
  const plain = Buffer.from(purchaseText(0));
  const own = cipher();
  return { inFlight: 1, step: () => own.seal(plain, encryption) };
}

function proved<T extends object>(key: T): Exclude<T, { readonly mend: string }> {
  if (isKeyFault(key)) throw new Error('a key of the bench cannot be read');
  return key as Exclude<T, { readonly mend: string }>;
}

const common = { retentionMs: 168 * HOUR_MS, onNotice: () => undefined, clock: systemClock };

async function journalRedis({ redisUrl, dir }: Input): Promise<Operation> {
  const target = parseJournalUrl(redisUrl, dir);
  if (!('kind' in target) || target.kind === 'sqlite') throw new Error('the bench has no Redis');
  return journalOperation(await createRedisJournal({ ...common, target }));
}

const journalSqlite = async ({ dir }: Input): Promise<Operation> =>
  journalOperation(await createSqliteJournal({ ...common, path: join(dir, 'journal.db') }));

const DRAFT = {
  birth: 'claim',
  client: 'wallet' as ClientId,
  issuer: 'core-bank' as IssuerId,
  api: 'Purchase' as ApiName,
  policy: 'reverse',
  amount: null,
  leaseMs: LEASE_MS,
} as const;

/** What a call asks of the journal: one claim, and the settle that ends it. */
function journalOperation(journal: Journal): Operation {
  const steps = new Steps(journal, systemClock, systemRandom);
  const sealed = `v1.bench.${'x'.repeat(SEALED_CHARS)}` as Sealed;
  let number = 0;
  const step = async () => {
    number += 1;
    const deadline = Deadline.in(systemClock, BUDGET_MS);
    const key = { participantId: PARTICIPANT as ParticipantId, tranId: idOf(number) as TranId };
    const draft = { ...DRAFT, key, message: sealed };
    const claimed = await steps.claim(draft, deadline);
    if (claimed.kind !== 'fresh') throw new Error(`the journal did not take a claim: ${claimed.kind}`);
    const outcome = { kind: 'answered', answer: { code: '00', sealed } } as const;
    const moved = await steps.move(
      claimed.held,
      (entry, now) => apply(entry, { type: 'settle', fence: entry.fence, outcome, now }),
      deadline,
    );
    if (moved.kind !== 'done') throw new Error(`the journal did not take a settle: ${moved.kind}`);
  };
  return { inFlight: CALLS_IN_FLIGHT, step, end: () => journal.close() };
}

const ANSWERED: Outcome = {
  kind: 'answered',
  status: 200,
  answer: { code: '00', desc: 'approved', fields: new Secret({}) },
};
const BROKEN: Outcome = { kind: 'unknown', reason: 'reset' };
const BREAKER = { errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 5_000 };

/** A connector that answers at once, but for every so many calls, where that is asked for. */
function instant(failingEvery: number): IssuerConnector {
  let calls = 0;
  const send = async (): Promise<Outcome> => {
    calls += 1;
    return calls % failingEvery === 0 ? BROKEN : ANSWERED;
  };
  return { send, close: async () => undefined };
}

function sending(line: Pick<IssuerConnector, 'send' | 'close'>): Operation {
  const row = apiByName('Purchase');
  if (!row) throw new Error('the catalogue has no Purchase');
  const context = { participants: new Set([PARTICIPANT]), wallMs: Date.now(), retentionHours: 168 };
  const message = parseMessage(row, Buffer.from(purchaseText(0)), context);
  const step = () => line.send(message, { deadline: Deadline.in(systemClock, BUDGET_MS), repeat: false });
  return { inFlight: 1, step, end: () => line.close() };
}

const guarded = (failingEvery: number) =>
  createGuardedIssuer({
    id: 'core-bank' as IssuerId,
    connector: instant(failingEvery),
    settings: BREAKER,
    clock: systemClock,
  });

export const OPERATIONS = {
  rsaPrivate,
  jweOpen,
  jweSeal,
  journalRedis,
  journalSqlite,
  issuerBare: () => sending(instant(Number.POSITIVE_INFINITY)),
  breaker: () => sending(guarded(Number.POSITIVE_INFINITY)),
  breakerFailing: () => sending(guarded(FAILING_EVERY)),
} as const satisfies Record<string, (input: Input) => Operation | Promise<Operation>>;

export type OperationName = keyof typeof OPERATIONS;
