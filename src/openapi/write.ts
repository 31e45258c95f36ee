/**
 * `npm run openapi`: the OpenAPI document as a file, for whoever generates a client or reads it without a gateway. It is
 * the document of a gateway that is configured like the contract: all ways in, and its base path.
 */
import { writeFile } from 'node:fs/promises';
import { openapiDocument } from './document.ts';

const DEFAULT_FILE = 'openapi.json';
const BASE_PATH = '/card-api';

const USAGE = `Usage: npm run openapi -- [FILE]

Writes the OpenAPI document to FILE (${DEFAULT_FILE} where none is named), or prints it where FILE is "-".`;

/** Writes or prints it, and gives the exit code. Rejects where the file cannot be written. */
export async function runOpenapi(args: readonly string[], print: (text: string) => void): Promise<number> {
  const [file = DEFAULT_FILE, ...others] = args;
  const asksForHelp = ['--help', '-h'].includes(file);
  if (asksForHelp || others.length > 0 || /^-./.test(file)) {
    print(USAGE);
    return asksForHelp ? 0 : 2;
  }
  const text = JSON.stringify(openapiDocument({ basePath: BASE_PATH, oauth: true }), undefined, 2);
  if (file === '-') {
    print(text);
    return 0;
  }
  await writeFile(file, `${text}\n`);
  print(file);
  return 0;
}
