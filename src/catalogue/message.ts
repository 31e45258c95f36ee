/**
 * Puts a `Message` together from wire fields that have been proved, by the parser just now or before they were stored.
 * It proves nothing itself: branding and lifting out are all it does.
 */
import { isCurrencyCode } from '../domain/currencies.ts';
import { isTranId, type TranId } from '../domain/ids.ts';
import type { Header, Message, WireFields } from '../domain/message.ts';
import { type Money, parseMoney } from '../domain/money.ts';
import { Secret } from '../domain/secret.ts';
import type { ApiRow } from './row.ts';

const textOf = (fields: WireFields, name: string): string | undefined => {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : undefined;
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

/** The message of this API from its header's fields and its own, with amount and original lifted out of the latter. */
export const messageOf = (row: ApiRow, header: WireFields, fields: WireFields): Message => ({
  api: row.name,
  header: header as Header,
  fields: new Secret(fields),
  amount: amountOf(fields),
  originalTranId: originalOf(fields),
});
