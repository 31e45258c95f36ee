/**
 * The drop-down lists: the demo issuer's own parameters, told by their codes.
 */
import type { WireFields } from '../../domain/message.ts';
import { CARD_STATUSES, CLOSE_REASONS, LIMIT_TYPES, PRODUCTS, REPLACE_REASONS } from '../products.ts';
import { Decline, type Turn } from '../turn.ts';
import { records } from './inquiries.ts';

type Texts = Iterable<readonly [code: string, value: string | { readonly name: string }]>;

const LISTS: ReadonlyMap<string, Texts> = new Map<string, Texts>([
  ['CardProd', PRODUCTS],
  ['CardStatus', CARD_STATUSES],
  ['ReplReasonCode', REPLACE_REASONS],
  ['CloseReasonCode', CLOSE_REASONS],
  ['CardLimitType', LIMIT_TYPES],
]);

export function dropDownListInquiry(turn: Turn): WireFields {
  const list = LISTS.get(turn.fields.dropDownName ?? '');
  if (!list) throw new Decline('12');
  const entries = [...list].map(([dropDownCode, value]) => ({
    dropDownCode,
    dropDownValue: typeof value === 'string' ? value : value.name,
  }));
  return records(entries);
}
