/**
 * The document as its readers use it: a public JSON Schema validator (ajv, draft 2020-12) with the document's own
 * schemas in it. Formats are left out, because every one of ours has a pattern beside it that says as much.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openapiDocument } from '../../src/openapi/document.ts';
import type { Json, JsonMap } from '../../src/openapi/json.ts';
import { isMap } from '../../src/openapi/json.ts';

export const DOCUMENT: JsonMap = openapiDocument({ basePath: '/card-api', oauth: true });

// Not strict: beside the schemas the document has members of OpenAPI, and schemas have members of ours (x-...).
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'https://gateway.example/openapi', ...DOCUMENT });

/** What of the value the schema at this place of the document does not allow; empty where it is fine. */
export function faults(value: unknown, ...place: readonly string[]): readonly string[] {
  const pointer = place.map(step => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`https://gateway.example/openapi#/${pointer}`);
  if (validate === undefined) throw new Error(`the document has nothing at ${pointer}`);
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map(error => `${error.instancePath} ${error.message}`);
}

/** A part of the document, which must be there. */
export function at(...place: readonly string[]): JsonMap {
  let here: Json | undefined = DOCUMENT;
  for (const step of place) here = isMap(here) ? here[step] : undefined;
  if (!isMap(here)) throw new Error(`the document has nothing at ${place.join('/')}`);
  return here;
}

/** The operation of an API. */
export const operationAt = (path: string): JsonMap => at('paths', path, 'post');
