/**
 * The statuses other than 200 that a call can be answered with, as responses that all operations share. Which response
 * codes each may carry is taken from the closed list of refusals.
 */
import { EXAMPLE_VALUES } from '../catalogue/exampleValues.ts';
import { HEADER_NAMES } from '../catalogue/header.ts';
import { REFUSALS } from '../domain/refusal.ts';
import { meaningOf, type ResponseCode } from '../domain/responseCode.ts';
import { OF_ALL } from './headers.ts';
import { type JsonMap, ref } from './json.ts';

type Status = {
  /** Its name among the shared parts. */
  readonly name: string;
  readonly description: string;
  readonly headers?: JsonMap;
  /** What the example says is wrong. */
  readonly errors?: readonly JsonMap[];
};

const RETRY = { 'Retry-After': ref('headers', 'retryAfter') };

export const STATUSES: Readonly<Record<string, Status>> = {
  '307': {
    name: 'StandingBy',
    description:
      'This site is standing by: nothing was done here. Send the same message, with the same `tranId`, to `Location`. Most HTTP clients drop `Authorization` when they follow a redirect to another host, so do not let them follow: compare the host with the sites that you were told of, and call it yourself with your credentials.',
    headers: { Location: ref('headers', 'location') },
  },
  '400': {
    name: 'BadRequest',
    description:
      'The message failed verification; `errors` names each field and the rule that it broke. Nothing was done. `94`: this `tranId` was used before with other content.',
    errors: [{ field: 'tranId', reason: 'is required' }],
  },
  '401': { name: 'Unauthorized', description: 'The header `Authorization` is missing or malformed.' },
  '403': {
    name: 'Forbidden',
    description:
      'The token is not valid here: unknown, expired, revoked, not for this API, or sent from an address that is not yours. All of these look the same.',
  },
  '404': { name: 'NoSuchApi', description: 'There is no such API, or it has another method.' },
  '429': {
    name: 'TooManyRequests',
    description: 'More calls per second than you may send. Nothing was done.',
    headers: RETRY,
  },
  '500': {
    name: 'InternalError',
    description: 'A defect of the gateway, before anything was claimed. Send the same message again.',
  },
  '503': {
    name: 'Unavailable',
    description: 'Overloaded, closing down, or without its journal: nothing was claimed. Send the same message again.',
    headers: RETRY,
  },
};

const codesOf = (status: string): readonly ResponseCode[] => {
  const codes = Object.values(REFUSALS).filter(row => String(row.status) === status);
  return [...new Set(codes.map(row => row.code))].toSorted();
};

const FIELD_ERRORS: JsonMap = {
  type: 'array',
  description:
    'Everything that is wrong, each with the rule that it broke; never a value that was sent. Empty with `94` alone, where the `tranId` is that of another client.',
  items: {
    type: 'object',
    required: ['field', 'reason'],
    properties: {
      field: {
        type: 'string',
        description:
          'A name of the catalogue, in lists such as `recordList[0].limitAmount`; a header in lower case; `body` for the whole.',
      },
      reason: { type: 'string', description: 'The rule.' },
    },
  },
};

/** Who used a `tranId` of another client learns nothing but that: no other code comes without an error. */
const SOMETHING_IS_WRONG: JsonMap = {
  anyOf: [
    { properties: { errors: { minItems: 1 } } },
    { properties: { responseCode: { const: REFUSALS.tranIdReused.code } } },
  ],
};

/** The envelope of a refusal: as many header fields as could be read. */
const envelopeOf = (status: string): JsonMap => {
  const codes = codesOf(status);
  const isVerification = status === '400';
  const header = Object.fromEntries(HEADER_NAMES.map(name => [name, ref('schemas', name)]));
  return {
    type: 'object',
    description: 'The header fields as sent, as far as they could be read, and what is wrong.',
    properties: {
      ...header,
      responseCode: codes.length === 0 ? ref('schemas', 'responseCode') : codeSchema(codes),
      responseDesc: ref('schemas', 'responseDesc'),
      ...(isVerification ? { errors: FIELD_ERRORS } : {}),
    },
    required: ['responseCode', 'responseDesc', ...(isVerification ? ['errors'] : [])],
    ...(isVerification ? SOMETHING_IS_WRONG : {}),
  };
};

const codeSchema = (codes: readonly ResponseCode[]): JsonMap => ({
  type: 'string',
  enum: codes,
  description: codes.map(code => `\`${code}\` ${meaningOf(code)}`).join(', '),
});

const exampleOf = (status: string, errors: readonly JsonMap[] | undefined): JsonMap => {
  const [code = '91'] = status === '400' ? (['30'] as const) : codesOf(status);
  const { participantId } = EXAMPLE_VALUES;
  return {
    ...(status === '400' && typeof participantId === 'string' ? { participantId } : {}),
    responseCode: code,
    responseDesc: meaningOf(code),
    ...(errors === undefined ? {} : { errors }),
  };
};

/** The shared responses by name. */
export const refusalResponses = (): JsonMap =>
  Object.fromEntries(
    Object.entries(STATUSES).map(([status, { name, description, headers, errors }]) => [
      name,
      {
        description: `${description} Always plain JSON.`,
        headers: { ...OF_ALL, ...headers },
        content: { 'application/json': { schema: envelopeOf(status), example: exampleOf(status, errors) } },
      },
    ]),
  );

/** The references of one operation to all of them. */
export const refusalRefs = (): JsonMap =>
  Object.fromEntries(Object.entries(STATUSES).map(([status, { name }]) => [status, ref('responses', name)]));
