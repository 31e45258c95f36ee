/** Messages as the edge would hand them on, for the tests of the connector. */
import type { CurrencyCode } from '../../src/domain/currencies.ts';
import type { ApiName, ParticipantId, TranId } from '../../src/domain/ids.ts';
import type { Message, WireFields } from '../../src/domain/message.ts';
import { Secret } from '../../src/domain/secret.ts';

export const USD = '840' as CurrencyCode;

let count = 0;

/** A message of 12.50 USD with a `tranId` of its own, unless told otherwise; null is no amount. */
export function messageOf(
  api = 'Purchase',
  fields: WireFields = { cardToken: 'tok_1', tranAmount: '12.50', tranCurrency: USD },
  minor: bigint | null = 1250n,
): Message {
  count += 1;
  return {
    api: api as ApiName,
    header: {
      participantId: '100000' as ParticipantId,
      tranBranch: '000001',
      tranChnl: '07',
      tranDate: '20260102',
      tranTime: '101112',
      tranId: `T${String(count).padStart(8, '0')}` as TranId,
    },
    fields: new Secret(fields),
    amount: minor === null ? undefined : { minor, currency: USD },
    originalTranId: undefined,
  };
}

/** The reply of an issuer that approves: header fields as sent, `00`, and what is given beside. */
export const approvalOf = (message: Message, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...message.header,
  responseCode: '00',
  responseDesc: 'approved',
  authCode: 'A1B2C3',
  ...more,
});
