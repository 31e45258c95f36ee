/**
 * The command `npm run call`: what it sends, what it shows and what it hides, and what it says when something is not
 * there or not right.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { runCall } from '../../src/sandbox/call.ts';

type Seen = { request: IncomingMessage; body: Record<string, unknown> };
type Reply = { status: number; headers?: Record<string, string>; body: string };

const TOKEN = 'secret-token-of-the-demo-client-0123456789abc';
const NUMBER = '4220001234567893';

let dir: string;
let gateway: Server;
let seen: Seen[];
let reply: (call: Seen) => Reply;
let lines: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'call-'));
  [seen, lines] = [[], []];
  reply = ({ body }) => ({
    status: 200,
    headers: seen.length > 1 ? { 'idempotent-replayed': 'true' } : {},
    body: JSON.stringify({
      participantId: body.participantId,
      tranId: body.tranId,
      responseCode: '00',
      cardNumber: NUMBER,
      CVV2: '737',
      availableBalance: '10.00',
      balanceCurrency: '840',
    }),
  });
  gateway = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const call = { request, body: JSON.parse(text) };
    seen.push(call);
    const { status, headers, body } = reply(call);
    response.writeHead(status, { timestamp: '1767600000000', 'x-request-id': 'r1', ...headers }).end(body);
  });
  await new Promise<void>(resolve => {
    gateway.listen(0, '127.0.0.1', resolve);
  });
  await writeCredentials();
});

afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true });
});

const stop = (): Promise<void> =>
  new Promise(resolve => {
    gateway.close(() => resolve());
    gateway.closeAllConnections();
  });

const base = (): string => {
  const address = gateway.address();
  return `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
};

const writeCredentials = (more: Record<string, unknown> = {}): Promise<void> =>
  writeFile(
    join(dir, 'credentials.json'),
    JSON.stringify({
      baseUrl: `${base()}/card-api`,
      bearer: { clientId: 'demo-wallet', participantId: '100000', token: TOKEN },
      cards: [{ cardToken: 'first' }, { cardToken: 'second' }],
      ...more,
    }),
  );

const run = (...argv: string[]): Promise<number> =>
  runCall(argv, { sandboxDir: dir, clock: systemClock, random: systemRandom }, text => lines.push(text));
const printed = (): string => lines.join('\n');

describe('a call', () => {
  it('is sent as the demo client, complete, with the first card where none is named', async () => {
    expect(await run('Purchase', 'tranAmount=12.50', 'tranCurrency=840')).toBe(0);
    const [call] = seen;
    expect(call?.request.url).toBe('/card-api/tranmgr/purchase');
    expect(call?.request.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'idempotency-key': call?.body.tranId,
    });
    expect(call?.request.headers.timestamp).toMatch(/^\d{13}$/);
    expect(call?.body).toMatchObject({
      participantId: '100000',
      tranChnl: '08',
      cardToken: 'first',
      tranAmount: '12.50',
      tranCurrency: '840',
    });
    const { participantId, tranBranch, tranChnl, tranCode, tranDate, tranTime, tranId, tellerNo, terminalNo } =
      call?.body ?? {};
    for (const field of [participantId, tranBranch, tranChnl, tranCode, tellerNo, terminalNo])
      expect(field).toBeTruthy();
    expect([tranDate, tranTime, tranId].join()).toMatch(/^\d{8},\d{6},[A-Za-z0-9_-]{22}$/);
  });

  it('takes what is typed before what is filled in', async () => {
    await run('BalanceInquiry', `cardNumber=${NUMBER}`, 'tranChnl=07', 'tranDate=20260105', '--tran-id', 'mine');
    expect(seen[0]?.body).toMatchObject({ cardNumber: NUMBER, tranChnl: '07', tranDate: '20260105', tranId: 'mine' });
    expect(seen[0]?.body).not.toHaveProperty('cardToken');
    await run('BalanceInquiry', 'cardToken=second', 'tranId=typed');
    expect(seen[1]?.body).toMatchObject({ cardToken: 'second', tranId: 'typed' });
  });

  it('shows the exchange, without the token, a whole card number, CVV2 or PIN block (I14)', async () => {
    await run('Purchase', `cardNumber=${NUMBER}`, 'tranAmount=1', 'tranCurrency=840', 'CVV2=737', 'pinBlock=ABCDEF01');
    expect(printed()).toContain(`POST ${base()}/card-api/tranmgr/purchase`);
    expect(printed()).toContain('authorization: Bearer [token of demo-wallet]');
    expect(printed()).toMatch(/HTTP 200 OK in \d+\.\d ms/);
    expect(printed()).toContain('x-request-id: r1');
    expect(printed().match(/422000\*{6}7893/g)).toHaveLength(2);
    for (const secret of [TOKEN, NUMBER, '"737"', 'ABCDEF01']) expect(printed()).not.toContain(secret);
    expect(seen[0]?.body).toMatchObject({ cardNumber: NUMBER, CVV2: '737', pinBlock: 'ABCDEF01' });
  });

  it('with --repeat is sent twice under one tranId, and shows which answer was replayed', async () => {
    expect(await run('Purchase', 'tranAmount=1', 'tranCurrency=840', '--repeat')).toBe(0);
    expect(seen).toHaveLength(2);
    expect(seen[1]?.body).toEqual(seen[0]?.body);
    expect(printed().match(/idempotent-replayed: true/g)).toHaveLength(1);
  });

  it.each([
    ['', '/card-api/tranmgr/balanceInquiry'],
    ['/', '/card-api/tranmgr/balanceInquiry'],
    ['/other/', '/other/tranmgr/balanceInquiry'],
  ])('goes --to another gateway: path "%s"', async (path, url) => {
    await writeCredentials({ baseUrl: 'http://127.0.0.1:1/card-api' });
    expect(await run('BalanceInquiry', '--to', base() + path)).toBe(0);
    expect(seen[0]?.request.url).toBe(url);
  });

  it('takes a list of records in JSON, and a list of words with commas between them', async () => {
    const records = [{ cardLimitType: 'DAY', limitAmount: '100.00' }, { cardLimitType: 'MON' }];
    expect(await run('CardLimitSetting', `recordList=${JSON.stringify(records)}`, 'posFlag=Y')).toBe(0);
    expect(seen[0]?.body).toMatchObject({ cardToken: 'first', recordList: records, posFlag: 'Y' });
    expect(await run('TokenRequest', 'expiryDate=3101', 'CVV2=123', 'useCaseIndicator=HCE,QRC', 'cvm=otp')).toBe(0);
    expect(seen[1]?.body).toMatchObject({ useCaseIndicator: ['HCE', 'QRC'], cvm: ['otp'] });
  });

  it('reaches every API of the catalogue', async () => {
    for (const { name, path } of APIS) {
      await run(name);
      expect(seen.at(-1)?.request.url, name).toBe(`/card-api${path}`);
      expect(seen.at(-1)?.body.tranCode, name).toBe(name);
    }
  });

  it('goes to another site when a 307 says so, if --site names it; otherwise the 307 is shown', async () => {
    reply = ({ request, body }) => {
      const { participantId, tranId } = body;
      const moved = { status: 307, headers: { location: `${base()}/other/tranmgr/purchase` }, body: '{}' };
      const answer = { participantId, tranId, responseCode: '00' };
      return request.url?.startsWith('/other/') ? { status: 200, body: JSON.stringify(answer) } : moved;
    };
    const purchase = ['Purchase', 'tranAmount=1', 'tranCurrency=840'];
    expect(await run(...purchase)).toBe(1);
    expect(seen.length).toBe(1);
    expect(printed()).toContain(`location: ${base()}/other/tranmgr/purchase`);
    expect(await run(...purchase, '--site', `${base()}/other`)).toBe(0);
    expect(seen.length).toBe(3);
    expect(seen[2]?.body).toEqual(seen[1]?.body);
    expect(seen[2]?.request.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(printed()).toContain(`POST ${base()}/other/tranmgr/purchase`);
  });

  it.each(['hello', '{"tranId":"another","responseCode":"00"}'])('does not take for an answer: %s', async body => {
    reply = () => ({ status: 200, body });
    expect(await run('BalanceInquiry')).toBe(1);
    expect(printed()).toContain('That is no answer to this call.');
  });

  it('ends with 1 for any other status, and shows a body that is no JSON without card numbers', async () => {
    reply = () => ({ status: 400, body: `<p>${NUMBER}</p>` });
    expect(await run('BalanceInquiry')).toBe(1);
    expect(printed()).toContain('HTTP 400');
    expect(printed()).toContain('<p>422000******7893</p>');
  });
});

describe('what is not right is said in a sentence', () => {
  it.each<[string[], string]>([
    [['Purchas'], 'There is no API Purchas. Did you mean Purchase?'],
    [['purchase'], 'Did you mean Purchase?'],
    [['Everything'], 'There are CardApplication, CustomerCardInfoInquiry'],
    [['Purchase', 'tranAmunt=1'], 'Purchase has no field tranAmunt. Did you mean tranAmount'],
    [['BalanceInquiry', 'tranAmount=1'], 'BalanceInquiry has no field tranAmount.'],
    [['Purchase', 'tranAmount'], 'fields are written name=value'],
    [['Purchase', '=1'], 'fields are written name=value'],
    [['Purchase', 'tranAmount=1', 'tranAmount=2'], 'tranAmount is there twice'],
    [['Purchase', '--to', 'ftp://x'], '--to takes a URL'],
    [['Purchase', '--site', 'x'], '--site takes a URL'],
    [['CardLimitSetting', 'recordList=DAY'], 'recordList is a list of records in JSON'],
    [['CardLimitSetting', 'recordList={}'], 'recordList is a list of records in JSON'],
    [['Purchase', '--tran-id', 'a b'], 'A tranId must be 1 to 32 of'],
    [['Purchase', '--to'], 'Usage: npm run call'],
    [['Purchase', '--repeet'], 'Usage: npm run call'],
    [[], 'Usage: npm run call'],
  ])('%j', async (argv, sentence) => {
    expect(await run(...argv)).toBe(2);
    expect(printed()).toContain(sentence);
    expect(seen).toEqual([]);
  });

  it('--help, without a sandbox', async () => {
    await rm(join(dir, 'credentials.json'));
    expect(await run('--help')).toBe(0);
    expect(printed()).toContain('npm run call -- Purchase tranAmount=12.50 tranCurrency=840');
  });

  it('no sandbox was started here', async () => {
    await rm(join(dir, 'credentials.json'));
    expect(await run('BalanceInquiry')).toBe(2);
    expect(printed()).toBe(`There is no ${join(dir, 'credentials.json')}: start the sandbox with npm start.`);
  });

  it.each(['', '{', '[]', '{"baseUrl":"nonsense"}'])('credentials.json is damaged: %s', async content => {
    await writeFile(join(dir, 'credentials.json'), content);
    expect(await run('BalanceInquiry')).toBe(2);
    expect(printed()).toContain('is not what npm start writes');
  });

  it('the sandbox was stopped', async () => {
    const url = base();
    await stop();
    expect(await run('BalanceInquiry')).toBe(1);
    expect(printed()).toContain(`Nothing listens at ${url}: start the sandbox with npm start.`);
  });

  it('the connection is cut', async () => {
    reply = ({ request }) => {
      request.socket.destroy();
      return { status: 200, body: '' };
    };
    expect(await run('BalanceInquiry')).toBe(1);
    expect(printed()).toContain('No answer from');
  });
});
