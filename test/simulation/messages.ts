/**
 * What callers send: messages as bytes, of every API that moves money and of one of each other kind.
 */
import { apiByName } from '../../src/catalogue/apis.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import type { Chance } from './chance.ts';
import { PARTICIPANTS } from './gatewayModel.ts';
import { minorOf, textOf } from './ledger.ts';
import { EPOCH_MS, type World } from './world.ts';

export type Body = Readonly<Record<string, string>>;
export type Sent = { readonly row: ApiRow; readonly client: number; readonly body: Body; readonly bytes: Uint8Array };

/** The name of a transaction in all the tables of a run. */
export const nameOf = ({ body }: Pick<Sent, 'body'>): string => `${body.tranId}/${body.participantId}`;
export const originalNameOf = ({ body }: Pick<Sent, 'body'>): string => `${body.originalTranId}/${body.participantId}`;

export const cardOf = (participant: string, index: number): string => `card-${participant}-${index}`;

const rowOf = (name: string): ApiRow => {
  const row = apiByName(name);
  if (!row) throw new Error(`no API ${name}`);
  return row;
};

const encoder = new TextEncoder();
export const sentOf = (row: ApiRow, client: number, body: Body): Sent => ({
  row,
  client,
  body,
  bytes: encoder.encode(JSON.stringify(body)),
});

/** A command, whose doubt ends by its caller's retry; and one whose new answer is the whole point. */
const COMMANDS = { CardStatusUpdate: { cardOptFlag: 'B' }, GenerateDCVV: {} } as const;

/** What a transaction of a story may begin with; the others name one of these. */
export const FIRSTS = {
  Purchase: 6,
  Withdraw: 3,
  BlockFund: 5,
  LoadFund: 3,
  TransferFund: 3,
  ServiceCharge: 1,
  DebitAdjustment: 1,
  CreditAdjustment: 1,
  BalanceInquiry: 0.5,
  CardStatusUpdate: 2,
  GenerateDCVV: 1,
} as const;

const DATE = new Date(EPOCH_MS).toISOString().slice(0, 10).replaceAll('-', '');

/** Writes the messages of one run. */
export class Pen {
  readonly #world: World;
  readonly #chance: Chance;
  #count = 0;

  constructor(world: World) {
    this.#world = world;
    this.#chance = world.chance('messages');
  }

  /** A message that names no other. */
  first(name: keyof typeof FIRSTS): Sent {
    const { options } = this.#world;
    const chance = this.#chance;
    const row = rowOf(name);
    const participant = chance.pick(PARTICIPANTS);
    const card = () => cardOf(participant, chance.whole(0, options.cards - 1));
    const amount = { tranAmount: textOf(BigInt(chance.whole(1, options.largestMinor))), tranCurrency: '840' };
    const own: Record<string, string> = { cardToken: card() };
    if (row.class !== 'inquiry' && row.class !== 'command') Object.assign(own, amount);
    if (name === 'CardStatusUpdate' || name === 'GenerateDCVV') Object.assign(own, COMMANDS[name]);
    if (name === 'TransferFund') own.toCardToken = card();
    if (name.endsWith('Adjustment')) own.memo = 'as agreed';
    if (name === 'Purchase' && chance.hits(0.1)) own.partialAllowed = 'Y';
    if (name === 'Purchase' && chance.hits(0.1)) own.CVV2 = '123';
    return this.#write(row, chance.whole(0, options.clients - 1), participant, own);
  }

  /** A message of the same caller that names another one. */
  naming(name: string, { client, body }: Sent, changes: Readonly<Record<string, string | undefined>> = {}): Sent {
    const { cardToken = '', tranAmount = '1.00', participantId = '' } = body;
    const own = { cardToken, tranAmount, tranCurrency: '840', originalTranId: body.tranId ?? '', ...changes };
    const there = Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return this.#write(rowOf(name), client, participantId, Object.fromEntries(there));
  }

  /** The same id with another amount. */
  altered(sent: Sent): Sent {
    const other = textOf(minorOf(sent.body.tranAmount) + 1n);
    return sentOf(sent.row, sent.client, { ...sent.body, tranAmount: other });
  }

  byAnother(sent: Sent): Sent {
    return sentOf(sent.row, (sent.client + 1) % this.#world.options.clients, sent.body);
  }

  #write(row: ApiRow, client: number, participantId: string, own: Body): Sent {
    this.#count += 1;
    const tranId = `T${String(this.#count).padStart(3, '0')}-${row.name.slice(0, 12)}`;
    const header = { participantId, tranBranch: '001', tranChnl: '08', tranDate: DATE, tranTime: '120000', tranId };
    return sentOf(row, client, { ...header, ...own });
  }
}
