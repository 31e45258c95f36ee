/**
 * The headers of requests and answers, and the request id that every answer has.
 */
import { type JsonMap, ref } from './json.ts';

const DIGITS = { type: 'string', pattern: '^[0-9]{1,15}$' } as const;
const NOW = '1781524800';

/** Headers that a call sends beside `Authorization` and `Content-Type`. */
export const PARAMETERS: JsonMap = {
  timestamp: {
    name: 'timestamp',
    in: 'header',
    required: true,
    description:
      'Now, in UNIX time: seconds (up to 11 digits) or milliseconds. It must be within the tolerance that was agreed, 300 seconds unless you were told otherwise.',
    schema: DIGITS,
    example: NOW,
  },
  idempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Not needed: `tranId` is the idempotency key. If it is sent, it must equal the `tranId`.',
    schema: ref('schemas', 'tranId'),
  },
};

/** Headers of answers, by the names under which responses refer to them. */
export const HEADERS: JsonMap = {
  timestamp: {
    description: 'When the answer was given: UNIX time in milliseconds.',
    required: true,
    schema: DIGITS,
    example: `${NOW}000`,
  },
  requestId: {
    description: 'Our id of this request, for questions about it.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' },
    example: 'X0000000000000000000AA',
  },
  idempotentReplayed: {
    description: '`true` where the answer was taken from the journal: this `tranId` was processed before. Else absent.',
    schema: { type: 'string', enum: ['true'] },
  },
  retryAfter: {
    description: 'Seconds after which to try again.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]+$' },
    example: '1',
  },
  location: {
    description: 'The same path at the site that is active now.',
    required: true,
    schema: { type: 'string', format: 'uri' },
    example: 'https://other.example/card-api/tranmgr/purchase',
  },
};

/** What every answer to a call has. */
export const OF_ALL: JsonMap = {
  timestamp: ref('headers', 'timestamp'),
  'X-Request-Id': ref('headers', 'requestId'),
};
