/**
 * The client as others get it: packed, unpacked where there is nothing of the gateway but its one dependency, type-checked,
 * and run as plain JavaScript against a real gateway, on whatever Node versions are here.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import { type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = 'authorization-gateway';
const run = promisify(execFile);
/** The Node of the tests, and the machine's own where there is another. */
const NODES = [process.execPath, '/usr/bin/node', '/usr/local/bin/node'].filter(
  (path, index) => index === 0 || (existsSync(path) && !path.startsWith(ROOT)),
);

const HEAD = `import { createClient } from '${PACKAGE}/client';\n`;
const SETTING = `{ sites: ['https://a.example'], bearer: 'b', header: { participantId: '1', tranBranch: '1', tranChnl: '08' } }`;

/** A program of somebody else, in TypeScript. */
const CONSUMER = `${HEAD}
import type { ClientOptions, Message, Requests } from '${PACKAGE}/client';
const options: ClientOptions = ${SETTING};
const client = await createClient(options);
const message: Message<'Purchase'> = { cardToken: 'c', tranAmount: '1.00', tranCurrency: '840', billAmount: '1', billCurrency: '978' };
const result = await client.call('Purchase', message);
if (result.kind === 'approved') {
  const code: '00' = result.answer.responseCode;
  const balance: string | undefined = result.answer.availableBalance;
  console.log(code, balance, result.replayed);
} else if (result.kind === 'declined') console.log(result.answer.responseDesc);
else if (result.kind === 'refused') console.log(result.errors.map(({ field }) => field));
else if (result.kind === 'unreachable') console.log(result.code, result.mayHaveHappened);
const page = await client.call('TransactionHistory', { cardToken: 'c' });
if (page.kind === 'approved') console.log(page.answer.recordList.map(record => record.tranAmount));
const limits: Requests['CardLimitSetting'] = { cardToken: 'c', recordList: [{ cardLimitType: 'DAY' }] };
await client.call('CardLimitSetting', limits);
await client.call('CardApplication', { cardFlag: 'V', cardProdCode: 'p', customerId: 'c', custIdType: 'P', custIdNo: 'n' });
await client.call('TokenRequest', { cardToken: 'c', expiryDate: '3101', CVV2: '123', useCaseIndicator: ['HCE'], cvm: ['otp'] });
`;

const PAID = `cardToken: 'c', tranAmount: '1.00', tranCurrency: '840'`;
/** Calls that the types refuse. */
const WRONG: readonly string[] = [
  `'Purchas', { ${PAID} }`,
  `'Purchase', { ${PAID}, cardNumber: '4220001234567893' }`,
  `'Purchase', { tranAmount: '1.00', tranCurrency: '840' }`,
  `'Purchase', { ${PAID}, tranAmunt: '1' }`,
  `'Purchase', { ${PAID}, billAmount: '1' }`,
  `'Purchase', { ${PAID}, originalTranId: 'o', CVV2: '123' }`,
  `'Purchase', { ${PAID}, partialAllowed: 'yes' }`,
  `'Purchase', { cardToken: 'c', tranAmount: 1, tranCurrency: '840' }`,
  `'CardApplication', { cardFlag: 'P', cardProdCode: 'p', customerId: 'c', custIdType: 'P', custIdNo: 'n' }`,
  `'CustomerInfoUpdate', { customerId: 'c' }`,
  `'CardLimitSetting', { cardToken: 'c', recordList: [{ limitCount: '1' }] }`,
  `'TokenRequest', { cardToken: 'c', expiryDate: '3101', CVV2: '123', useCaseIndicator: 'HCE', cvm: ['otp'] }`,
];

let home: string;
let gateway: Gateway;
let issuer: ScriptedIssuer;

beforeAll(async () => {
  home = tempDir('consumer');
  await run('npm', ['pack', '--pack-destination', home], { cwd: ROOT });
  const [tarball = ''] = readdirSync(home).filter(name => name.endsWith('.tgz'));
  const modules = join(home, 'node_modules');
  mkdirSync(modules);
  execFileSync('tar', ['-xzf', join(home, tarball), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, PACKAGE)]);
  for (const name of ['jose', '@types', 'undici-types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
  issuer = await startScriptedIssuer();
  gateway = await startGateway({ issuerUrl: issuer.baseUrl });
});
afterAll(async () => {
  await gateway?.kill9();
  await issuer?.stop();
});

const checked = async (): Promise<string> => {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  // Everything that the package declares is checked, too: no skipLibCheck.
  const args = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', 'consumer.ts'];
  return run(tsc, args, { cwd: home }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );
};

describe('the package', () => {
  it('is the client and nothing else', () => {
    const files = readdirSync(join(home, 'node_modules', PACKAGE), { recursive: true, encoding: 'utf8' });
    const others = files.filter(name => !/^dist(\/\w+\.(js|d\.ts))?$/.test(name));
    expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json']);
    const sources = files.filter(name => name.endsWith('.js'));
    const imported = sources.flatMap(name => [
      ...readFileSync(join(home, 'node_modules', PACKAGE, name), 'utf8').matchAll(/from '([^.'][^']*)'/g),
    ]);
    expect(new Set(imported.map(([, name]) => name))).toEqual(new Set(['jose']));
  });

  it('type-checks in a program of somebody else', async () => {
    writeFileSync(join(home, 'consumer.ts'), CONSUMER);
    expect(await checked()).toBe('');
  });

  it('type-checks as the README has it', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, example = ''] = /^```ts\n(.*?createClient.*?)^```$/ms.exec(readme) ?? [];
    expect(example).toContain('client.call(');
    writeFileSync(join(home, 'consumer.ts'), example);
    expect(await checked()).toBe('');
  });

  it('its types refuse what the gateway would', async () => {
    const calls = WRONG.map(args => `await client.call(${args});`);
    writeFileSync(
      join(home, 'consumer.ts'),
      [`${HEAD}const client = await createClient(${SETTING});`, ...calls].join('\n'),
    );
    const lines = [...(await checked()).matchAll(/^consumer\.ts\((\d+),/gm)].map(([, line]) => Number(line));
    const first = 3;
    expect([...new Set(lines)]).toEqual(calls.map((_, index) => first + index));
  });

  it.each(NODES)('runs as plain JavaScript on %s', async node => {
    const program = `${HEAD}
const client = await createClient({
  sites: [process.argv[2]],
  bearer: process.argv[3],
  header: { participantId: process.argv[4], tranBranch: '000001', tranChnl: '08' },
});
const first = await client.call('Purchase', { cardToken: 'packed', tranAmount: '1.00', tranCurrency: '840' });
const again = await client.call('Purchase', { cardToken: 'packed', tranAmount: '1.00', tranCurrency: '840', tranId: first.tranId });
console.log(JSON.stringify([first.kind, first.replayed, again.kind, again.replayed]));
`;
    writeFileSync(join(home, 'program.js'), program);
    const { stdout, stderr } = await run(node, ['program.js', gateway.url, gateway.token, gateway.participantId], {
      cwd: home,
    });
    expect([JSON.parse(stdout), stderr]).toEqual([['approved', false, 'approved', true], '']);
  });
});
