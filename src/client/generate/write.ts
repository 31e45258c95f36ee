/**
 * `npm run client-types`: writes the client's generated files anew.
 */
import { writeFile } from 'node:fs/promises';
import { generatedFiles } from './text.ts';

for (const [name, text] of Object.entries(generatedFiles())) {
  await writeFile(new URL(`../${name}`, import.meta.url), text);
}
