/**
 * The loads of a run about growth: messages of other sizes, of more clients and of more cards, each otherwise the Purchase
 * of the bench. What is no template is prepared one message a line.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiByName } from '../../src/catalogue/apis.ts';
import { exampleRequest } from '../../src/catalogue/example.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { Surroundings } from '../engine/surroundings.ts';
import { idOf } from '../peers/ids.ts';
import { LOADS, purchaseAround } from '../peers/loads.ts';
import { preparePool } from '../peers/pool.ts';
import type { Credentials, World } from '../peers/types.ts';
import type { Say } from './growing.ts';
import type { ScaleOptions } from './options.ts';
import { grouped, type Table } from './tables.ts';
import { TRAFFIC_HEAD, type Traffic, trafficRow } from './traffic.ts';

/** Something that no field has, to cut the message at. */
const CUT = '~';

type Around = { readonly before: string; readonly after: string };

/** Purchases by their size: as the bench sends them, with every field, and longer by white space alone. */
export function purchaseSizes({ participantId }: Credentials): readonly (readonly [what: string, around: Around])[] {
  const usual = purchaseAround(participantId, new Date());
  const full = fullPurchase(participantId);
  const padded = (bytes: number): Around => ({ ...full, after: full.after.replace('}', `${' '.repeat(bytes)}}`) });
  return [
    ['as the bench sends it', usual],
    ['every field', full],
    ['and 4 KiB of white space', padded(4096)],
    ['and 16 KiB of white space', padded(16_384)],
    ['and 60 KiB of white space', padded(61_440)],
  ];
}

function fullPurchase(participantId: string): Around {
  const row = apiByName('Purchase');
  if (!row) throw new Error('the catalogue has no Purchase');
  const { tranDate, tranTime } = JSON.parse(`${textAround(purchaseAround(participantId, new Date()))}`);
  const text = JSON.stringify({ ...exampleRequest(row), participantId, tranDate, tranTime, tranId: CUT });
  const [before = '', after = ''] = text.split(CUT);
  return { before, after };
}

const textAround = ({ before, after }: Around): string => before + idOf(0) + after;

async function plain(credentials: Credentials, around: Around, world: World) {
  const load = await LOADS.bearer.build({ ...world, credentials });
  return { ...load, body: { kind: 'template', ids: 'fresh', ...around } as const };
}

/** Messages are prepared, so fewer are needed: opening one takes a third of a millisecond. */
const SEALED_SHARE = 0.25;
/** Of all prepared messages before they are sealed; they are written as one text. */
const POOL_CHARS = 2 ** 28;
/** Sealing makes a message a third longer, and 64 KiB is the most that a body may have. */
const SEALED_CHARS_MOST = 45_000;

async function sealed(credentials: Credentials, around: Around, ...[world, peer, most]: Parameters<Traffic['load']>) {
  // Its callers and headers; the messages are our own.
  const load = await LOADS.jwe.build(world, peer, 1);
  const count = Math.ceil(Math.min(most * SEALED_SHARE, POOL_CHARS / textAround(around).length));
  const body = await preparePool(credentials, world.dir, count, id => around.before + id + around.after);
  return { ...load, body };
}

export async function payloadTables(options: ScaleOptions, around: Surroundings, say: Say): Promise<Table[]> {
  const { credentials } = around;
  const sizes = purchaseSizes(credentials);
  const tables: Table[] = [];
  for (const kind of ['plain', 'sealed'] as const) {
    const rows: string[][] = [];
    for (const [what, text] of sizes) {
      if (kind === 'sealed' && textAround(text).length > SEALED_CHARS_MOST) continue;
      const load: Traffic['load'] = (...args) =>
        kind === 'plain' ? plain(credentials, text, args[0]) : sealed(credentials, text, ...args);
      const bytes = grouped(textAround(text).length);
      rows.push([what, bytes, ...(await trafficRow(around, { credentials, load }, options.seconds))]);
      say(`payload, ${kind}: ${rows.at(-1)?.join(' | ')}`);
    }
    const title = `Size of a message: ${kind === 'plain' ? 'plain JSON' : 'JWE both ways'}`;
    tables.push({ title, notes: PAYLOAD_NOTES, head: ['Purchase', 'bytes', ...TRAFFIC_HEAD], rows });
  }
  return tables;
}

const PAYLOAD_NOTES = [
  'No field of a Purchase is long and unknown fields are refused, so that only white space makes a message longer than a few hundred bytes.',
];

const CLIENTS = [1, 100, 1000] as const;
/** A token has 256 bits: two ids. */
const tokenOf = (): string => `${systemRandom.id()}${systemRandom.id()}`;

export async function clientTables(options: ScaleOptions, around: Surroundings, say: Say): Promise<Table[]> {
  const rows: string[][] = [];
  for (const count of CLIENTS) {
    const bearerClients = Array.from({ length: count }, (_, i) => ({ id: `client-${i}`, tokens: [tokenOf()] }));
    const credentials = { ...around.credentials, bearerClients };
    const load: Traffic['load'] = world => LOADS.bearer.build(world);
    rows.push([grouped(count), ...(await trafficRow(around, { credentials, load }, options.seconds))]);
    say(`clients: ${rows.at(-1)?.join(' | ')}`);
  }
  const notes = ['Each client has one opaque token; calls come from all of them in turn.'];
  return [{ title: 'Number of clients', notes, head: ['clients', ...TRAFFIC_HEAD], rows }];
}

const CARDS = [1, 1000, Number.POSITIVE_INFINITY] as const;
const CARD = 'bench-card-0000001';

/** A file of Purchases, one a line, with so many cards in turn. */
export function writeCards(file: string, count: number, cards: number, around: Around): void {
  const lines = Array.from({ length: count }, (_, number) => {
    const card = `bench-card-${String(number % cards).padStart(7, '0')}`;
    return `${around.before}${idOf(number)}${around.after.replace(CARD, card)}\n`;
  });
  writeFileSync(file, lines.join(''));
}

export async function cardTables(options: ScaleOptions, around: Surroundings, say: Say): Promise<Table[]> {
  const { credentials } = around;
  const rows: string[][] = [];
  for (const cards of CARDS) {
    const load: Traffic['load'] = async (world, _peer, count) => {
      const bearer = await LOADS.bearer.build(world);
      const file = join(world.dir, 'cards.txt');
      writeCards(file, count, cards, purchaseAround(credentials.participantId, new Date()));
      return { ...bearer, body: { kind: 'pool', file, count } };
    };
    const what = Number.isFinite(cards) ? grouped(cards) : 'one for each message';
    rows.push([what, ...(await trafficRow(around, { credentials, load }, options.seconds))]);
    say(`cards: ${rows.at(-1)?.join(' | ')}`);
  }
  const notes = ['Messages are prepared, which makes the loader a little dearer than elsewhere, not the gateway.'];
  return [{ title: 'Number of cards', notes, head: ['cards', ...TRAFFIC_HEAD], rows }];
}
