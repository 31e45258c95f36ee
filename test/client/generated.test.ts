/** The generated files of the client are those of the catalogue as it is now. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { APIS as FACTS } from '../../src/client/apis.ts';
import { generatedFiles } from '../../src/client/generate/text.ts';
import { API_PATHS } from '../support/apiPaths.ts';

describe('npm run client-types', () => {
  it.each(Object.entries(generatedFiles()))('%s is current', (name, text) => {
    const file = readFileSync(new URL(`../../src/client/${name}`, import.meta.url), 'utf8');
    expect(file, 'run npm run client-types').toBe(text);
  });

  it('the client knows every API by its path', () => {
    const paths = Object.fromEntries(Object.entries(FACTS).map(([name, { path }]) => [name, path]));
    expect(paths).toEqual(API_PATHS);
    expect(Object.keys(FACTS)).toEqual(APIS.map(({ name }) => name));
  });

  it('what counts a try is in inquiries alone: everything else is remembered by its tranId', () => {
    const once = Object.entries(FACTS).flatMap(([name, facts]) => (facts.once ? [[name, facts.once]] : []));
    expect(once).toEqual([
      ['CardCVV2Verify', ['CVV2']],
      ['PINVerify', ['pinBlock']],
      ['Verification', ['CVV2']],
    ]);
  });
});
