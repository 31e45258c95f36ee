/**
 * The operation of each API, from its row: what it does, its message in plain and encrypted form, its answer, and every
 * status that it can have.
 */
import { exampleRequest, exampleResponse } from '../catalogue/example.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { OF_ALL } from './headers.ts';
import { given, type JsonMap, ref } from './json.ts';
import { policyText } from './policies.ts';
import { securityOf } from './security.ts';
import { refusalRefs } from './statuses.ts';

export const requestName = (row: ApiRow): string => `${row.name}Request`;
export const responseName = (row: ApiRow): string => `${row.name}Response`;

const EXAMPLE_JWE = 'header.encrypted_key.initialization_vector.ciphertext.authentication_tag';

/** The two forms of a body. */
const bodyOf = (schema: string, examples: JsonMap, hasOauth: boolean): JsonMap => ({
  'application/json': { schema: ref('schemas', schema), examples },
  ...given('application/jose', hasOauth && { schema: ref('schemas', 'EncryptedPayload'), example: EXAMPLE_JWE }),
});

const example = (summary: string, value: JsonMap): JsonMap => ({ summary, value });

const descriptionOf = (row: ApiRow): string => {
  const parts = [policyText(row)];
  if (row.askAgain) {
    parts.push(
      'The stored answer lacks its sensitive field, so that a repeat of an approved call asks the issuer again.',
    );
  }
  if (row.retired) parts.push('Retired: 404, unless it was enabled for a client by name.');
  return parts.join('\n\n');
};

const extensionsOf = (row: ApiRow): JsonMap => ({
  'x-api-number': row.no,
  'x-class': row.class,
  'x-on-unknown': row.onUnknown,
  ...given('x-on-unknown-with-original', row.onUnknownWithOriginal),
  ...given('x-prepaid', row.prepaid !== '' && row.prepaid),
  ...given('x-debit', row.debit !== '' && row.debit),
});

/** A call of the API. */
export const operationOf = (row: ApiRow, hasOauth: boolean): JsonMap => ({
  operationId: row.name,
  tags: [row.module],
  summary: `${row.name}: ${row.meaning}`,
  description: descriptionOf(row),
  ...given('deprecated', row.retired === true),
  ...extensionsOf(row),
  security: securityOf(row, hasOauth),
  parameters: [ref('parameters', 'timestamp'), ref('parameters', 'idempotencyKey')],
  requestBody: {
    required: true,
    content: bodyOf(
      requestName(row),
      {
        complete: example('With everything that it may have', exampleRequest(row)),
        least: example('With what it must have', exampleRequest(row, 'least')),
      },
      hasOauth,
    ),
  },
  responses: {
    '200': {
      description: 'Processed: look at `responseCode`. Encrypted where the request was.',
      headers: { ...OF_ALL, 'Idempotent-Replayed': ref('headers', 'idempotentReplayed') },
      content: bodyOf(responseName(row), { approved: example('Approved', exampleResponse(row)) }, hasOauth),
    },
    ...refusalRefs(),
  },
});
