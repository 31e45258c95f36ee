/**
 * The prose at the beginning of the reference: what a caller has to know that belongs to no single API.
 */
import type { Module } from '../catalogue/row.ts';
import { RESPONSE_CODES } from '../domain/responseCode.ts';

export const MODULE_TEXTS: Readonly<Record<Module, string>> = {
  Application: 'Applying for cards.',
  Customer: 'What a customer has, and who they are.',
  Account: 'The accounts behind cards.',
  Card: 'The life of a card: activation, status, limits, replacement, codes and PIN.',
  Transaction: 'Money: purchases, holds, refunds, reversals, balances and history.',
  Token: 'Network tokens of a card, for wallets and devices.',
  Authentication: 'Proving that it is the cardholder: one-time passwords and out-of-band.',
  Parameter: 'The values that fields may take.',
};

const CODES = Object.entries(RESPONSE_CODES)
  .toSorted(([a], [b]) => Number(a) - Number(b))
  .map(([code, { meaning }]) => `| \`${code}\` | ${meaning} |`)
  .join('\n');

export const INTRODUCTION = `Every call is a \`POST\` of a flat JSON object whose values are strings (lists of records apart): nine header fields beside
the API's own. Answers echo the header fields and add \`responseCode\` and \`responseDesc\`.

**Ways in.** A bearer token and plain JSON, or OAuth with \`private_key_jwt\` and payloads encrypted both ways. Whatever
is not status 200 is plain JSON.

**Idempotency.** \`tranId\` is the key, within \`participantId\`. The same message again gets the first answer again, with
the header \`Idempotent-Replayed: true\`; declines are as final as approvals, so another try is another \`tranId\`. Other
content under a used \`tranId\` is 400 with \`94\`. A call that timed out is repeated with the **same** \`tranId\`: it has
one effect, however often it is sent. Sensitive authentication data (CVV2, PIN blocks, one-time passwords) is never kept, so
that it is not compared either: another password under a used \`tranId\` gets the first answer. Inquiries are not kept, and
are asked anew each time.

**In doubt.** \`09\` says that the outcome is being settled: repeat the same \`tranId\` to learn it. \`68\` says that the
issuer gave no usable answer and the transaction is being undone. \`91\` says that the issuer could not be asked, and that
nothing was done. For an inquiry it can also mean that no usable answer came, as \`responseDesc\` then says: the inquiry may
have arrived, and a PIN or a CVV2 in it may have counted as a try.

**Money** is up to 16 digits with as many decimals as the currency has, and a dot: \`12.50\`, in yen \`1250\`.
Currencies are ISO 4217 numbers, dates \`YYYYMMDD\`, times \`HHMMSS\`, expiry dates \`YYMM\`.

<details>
<summary>All response codes</summary>

| responseCode | meaning |
|---|---|
${CODES}

</details>
`;
