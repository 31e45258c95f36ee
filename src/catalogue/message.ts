/**
 * Puts a `Message` together from wire fields that have been proved, by the parser just now or before they were stored.
 * It proves nothing itself: branding and lifting out are all it does.
 */
import { isCurrencyCode } from '../domain/currencies.ts';
import { isTranId, type ParticipantId, type TranId } from '../domain/ids.ts';
import type { Header, Message, WireFields } from '../domain/message.ts';
import { type Money, parseMoney } from '../domain/money.ts';
import { Secret } from '../domain/secret.ts';
import type { ApiRow } from './row.ts';

const textOf = (fields: WireFields, name: string): string | undefined => {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const proved = (fields: WireFields, name: string): string => {
  const text = textOf(fields, name);
  if (text === undefined) throw new TypeError(`${name} was not proved`);
  return text;
};

const amountOf = (fields: WireFields): Money | undefined => {
  const [text, currency] = [textOf(fields, 'tranAmount'), textOf(fields, 'tranCurrency')];
  if (text === undefined || currency === undefined || !isCurrencyCode(currency)) return undefined;
  const money = parseMoney(text, currency);
  return typeof money === 'string' ? undefined : money;
};

const originalOf = (fields: WireFields): TranId | undefined => {
  const text = textOf(fields, 'originalTranId');
  return text !== undefined && isTranId(text) ? text : undefined;
};

/** The header of proved wire fields, which may have others beside it. Throws a TypeError where a required one is absent. */
export const headerOf = (wire: WireFields): Header => {
  const optional = { tranCode: textOf(wire, 'tranCode'), tellerNo: textOf(wire, 'tellerNo') };
  const terminalNo = textOf(wire, 'terminalNo');
  return {
    participantId: proved(wire, 'participantId') as ParticipantId,
    tranBranch: proved(wire, 'tranBranch'),
    tranChnl: proved(wire, 'tranChnl'),
    ...(optional.tranCode === undefined ? {} : { tranCode: optional.tranCode }),
    tranDate: proved(wire, 'tranDate'),
    tranTime: proved(wire, 'tranTime'),
    tranId: proved(wire, 'tranId') as TranId,
    ...(optional.tellerNo === undefined ? {} : { tellerNo: optional.tellerNo }),
    ...(terminalNo === undefined ? {} : { terminalNo }),
  };
};

/** The message of this API from its header and own fields, with amount and original lifted out of the fields. */
export const messageOf = (row: ApiRow, header: Header, fields: WireFields): Message => ({
  api: row.name,
  header,
  fields: new Secret(fields),
  amount: amountOf(fields),
  originalTranId: originalOf(fields),
});
