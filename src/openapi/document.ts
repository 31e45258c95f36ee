/**
 * The OpenAPI 3.1 document of this gateway, from the catalogue: every API with its fields, rules, examples and answers.
 * It depends on two things of the configuration alone, and on no request, so that it is made once, when it is first asked
 * for.
 */
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { APIS } from '../catalogue/apis.ts';
import { FIELDS, fieldRow, isFieldName } from '../catalogue/fields.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { MODULES } from '../catalogue/scopes.ts';
import { JWE_BYTES_MAX } from '../edge/jwe.ts';
import { fieldSchema } from './fieldSchema.ts';
import { HEADERS, PARAMETERS } from './headers.ts';
import { INTRODUCTION, MODULE_TEXTS } from './introduction.ts';
import { given, type JsonMap } from './json.ts';
import { requestSchema, responseSchema } from './messageSchema.ts';
import { OAUTH_SCHEMAS, OAUTH_TAG, oauthPaths } from './oauthPaths.ts';
import { operationOf, requestName, responseName } from './operations.ts';
import { securitySchemes } from './security.ts';
import { refusalResponses } from './statuses.ts';

export type DocumentOptions = {
  /** As in the configuration: empty, or a slash and more, without one at the end. */
  readonly basePath: string;
  /** Whether this gateway has an authorization server. */
  readonly oauth: boolean;
};

const ENCRYPTED: JsonMap = {
  type: 'string',
  maxLength: JWE_BYTES_MAX,
  pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){4}$',
  description:
    'The JSON body as a compact JWE (RFC 7516): `alg` `RSA-OAEP-256`, `enc` `A128GCM`, and the `kid` of our RSA key at `/oauth2/jwks`. Answers with status 200 come back sealed for your first RSA key.',
};

const fieldSchemas = (): JsonMap =>
  Object.fromEntries(
    Object.keys(FIELDS)
      .filter(isFieldName)
      .map(name => [name, fieldSchema(fieldRow(name))]),
  );

/** What the document has of each API. */
type OfApi = { readonly path: JsonMap; readonly schemas: JsonMap };

const ofApi = (row: ApiRow, oauth: boolean): OfApi => ({
  path: { [row.path]: { post: operationOf(row, oauth) } },
  schemas: { [requestName(row)]: requestSchema(row), [responseName(row)]: responseSchema(row) },
});

const merged = (maps: readonly JsonMap[]): JsonMap => Object.assign({}, ...maps);

const tagsOf = (oauth: boolean): readonly JsonMap[] => [
  ...MODULES.map(name => ({ name, description: MODULE_TEXTS[name] })),
  ...(oauth ? [{ name: OAUTH_TAG, description: 'Access tokens and public keys.' }] : []),
];

/** The whole document. */
export const openapiDocument = (options: DocumentOptions): JsonMap =>
  documentOf(
    options,
    APIS.map(row => ofApi(row, options.oauth)),
  );

/** The whole document as JSON. Each API is a turn of the event loop of its own: calls are being served meanwhile. */
export const openapiText = async (options: DocumentOptions): Promise<string> => {
  const apis: OfApi[] = [];
  for (const row of APIS) {
    apis.push(ofApi(row, options.oauth));
    await nextTurn();
  }
  return JSON.stringify(documentOf(options, apis));
};

const nextTurn = promisify(setImmediate);

const documentOf = ({ basePath, oauth }: DocumentOptions, apis: readonly OfApi[]): JsonMap => ({
  openapi: '3.1.0',
  info: {
    title: 'Card authorization gateway',
    version: packageJson.version,
    description: INTRODUCTION,
    license: { name: 'Apache License 2.0', identifier: packageJson.license },
  },
  servers: [{ url: basePath === '' ? '/' : basePath, description: 'This gateway.' }],
  tags: tagsOf(oauth),
  paths: {
    ...merged(apis.map(({ path }) => path)),
    ...(oauth ? oauthPaths() : {}),
  },
  components: {
    securitySchemes: securitySchemes(oauth),
    parameters: PARAMETERS,
    headers: HEADERS,
    responses: refusalResponses(),
    schemas: {
      ...merged(apis.map(({ schemas }) => schemas)),
      ...fieldSchemas(),
      ...given('EncryptedPayload', oauth && ENCRYPTED),
      ...(oauth ? OAUTH_SCHEMAS : {}),
    },
  },
});
