/**
 * What the class of an API and its policy for doubts mean to a caller, in words: for the documentation, and in short for
 * the README's table.
 */
import type { ApiClass, ApiRow, OnUnknown } from '../catalogue/row.ts';

const CLASSES: Readonly<Record<ApiClass, string>> = {
  debit: 'Takes money from the cardholder',
  credit: 'Gives money to the cardholder',
  hold: 'Blocks money',
  release: 'Frees money that was blocked',
  reversal: 'Undoes another transaction',
  inquiry: 'Changes nothing; it is not journalled, and sent once',
  command: 'Changes something that is not money',
};

type Policy = { readonly short: string; readonly words: string };

const POLICIES: Readonly<Record<OnUnknown, Policy>> = {
  reverse: {
    short: 'reverse',
    words: 'the answer is `68`, and the gateway reverses the transaction until the issuer acknowledges',
  },
  release: {
    short: 'release',
    words: 'the answer is `68`, and the gateway releases the amount until the issuer acknowledges',
  },
  repeat: {
    short: 'repeat',
    words:
      'the answer is `09`, and the gateway repeats the message until the issuer answers; repeat the `tranId` to learn the outcome',
  },
  resend: {
    short: 'resend',
    words: 'the answer is `09`; repeat the same message with the same `tranId`, which is forwarded again',
  },
  undo: {
    short: 'the undo of its original',
    words: 'the answer is `00` all the same, and the gateway goes on until the issuer has undone the original',
  },
  none: { short: 'none', words: 'the answer is `91`; ask again, with another `tranId` or the same' },
};

const withOriginal = (row: ApiRow, tell: (policy: Policy) => string): string =>
  row.onUnknownWithOriginal === undefined
    ? ''
    : `${tell(POLICIES[row.onUnknownWithOriginal])} when it completes a BlockFund`;

/** What a caller has to know of the API beyond its fields. */
export const policyText = (row: ApiRow): string => {
  const completing = withOriginal(row, policy => policy.words);
  return [
    `${CLASSES[row.class]} (class \`${row.class}\`).`,
    `Where it cannot be known what the issuer did: ${POLICIES[row.onUnknown].words}${completing === '' ? '' : `; ${completing}`}.`,
  ].join(' ');
};

/** The policy in a word or two. */
export const policyWord = (row: ApiRow): string => {
  const completing = withOriginal(row, policy => policy.short);
  const asked = row.askAgain ? ', and a repeat asks again' : '';
  return POLICIES[row.onUnknown].short + (completing === '' ? '' : `, ${completing}`) + asked;
};
