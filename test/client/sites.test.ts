/**
 * A gateway that stands by: the client goes where a 307 says, with its own token and the same message, and only where
 * it was told beforehand that it may.
 */
import { describe, expect, it } from 'vitest';
import { answer, BASE, broken, type Meets, OTHER, PURCHASE, Stage, TOKEN, withCode } from './stage.ts';

const PATH = '/tranmgr/purchase';
const moved = (location: string): Response => new Response('{}', { status: 307, headers: { location } });
/** The first site stands by for the other. */
const standingBy =
  (other: Meets): Meets =>
  (sent, number) =>
    sent.url.startsWith(BASE) ? moved(`${OTHER}${PATH}`) : other(sent, number);
const both = { sites: [BASE, OTHER] } as const;

describe('a 307', () => {
  it('to a named site is followed with the same message and the own token, at once', async () => {
    const stage = new Stage(standingBy(sent => answer(sent)));
    const result = await (await stage.client(both)).call('Purchase', PURCHASE);
    expect(stage.sent.map(({ url }) => url)).toEqual([BASE + PATH, OTHER + PATH]);
    expect(stage.sent[1]?.body).toEqual(stage.sent[0]?.body);
    expect(stage.sent[1]?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(stage.pauses).toEqual([]);
    expect(result).toMatchObject({ kind: 'approved', site: OTHER, tries: 2 });
  });

  it.each([
    ['https://evil.example/card-api/tranmgr/purchase'],
    [`${OTHER}/tranmgr/refund`],
    [`${OTHER}${PATH}?a=b`],
    ['http://two.example/card-api/tranmgr/purchase'],
    ['https://two.example@evil.example/card-api/tranmgr/purchase'],
    [BASE + PATH],
    ['//evil.example/card-api/tranmgr/purchase'],
    ['nonsense:'],
    [''],
  ])('to anywhere else is a refusal, and nothing is sent there: %s', async location => {
    const stage = new Stage(() => moved(location));
    const result = await (await stage.client(both)).call('Purchase', PURCHASE);
    expect(stage.sent.length).toBe(1);
    expect(result).toMatchObject({ kind: 'refused', status: 307, location, mayHaveHappened: false });
  });

  it('is not followed in a circle', async () => {
    const stage = new Stage(sent => moved(sent.url.startsWith(BASE) ? OTHER + PATH : BASE + PATH));
    const result = await (await stage.client(both)).call('Purchase', PURCHASE);
    expect(stage.sent.length).toBe(3);
    expect(result).toMatchObject({ kind: 'refused', status: 307 });
  });

  it('is no answer to other calls: the next one asks the first site again', async () => {
    const stage = new Stage(standingBy(sent => answer(sent)));
    const client = await stage.client(both);
    await client.call('Purchase', PURCHASE);
    await client.call('Purchase', PURCHASE);
    expect(stage.sent.map(({ url }) => url.startsWith(BASE))).toEqual([true, false, true, false]);
  });

  it('what was lost at a site is asked about there', async () => {
    const lost: Meets = (sent, number) => (number === 2 ? broken('ECONNRESET') : answer(sent));
    const stage = new Stage(standingBy(lost));
    const result = await (await stage.client(both)).call('Purchase', PURCHASE);
    expect(stage.sent.map(({ url }) => url.startsWith(BASE))).toEqual([true, false, false]);
    expect(result).toMatchObject({ kind: 'approved', site: OTHER, tries: 3 });
  });

  it('the caller can begin at the site that it was told', async () => {
    const stage = new Stage(sent => withCode(sent, '09'));
    const client = await stage.client({ ...both, tries: 1 });
    expect(await client.call('Purchase', PURCHASE, { site: `${OTHER}/` })).toMatchObject({
      kind: 'inProgress',
      site: OTHER,
    });
  });

  it('a site that is away is not left for another: what it holds, only it can tell', async () => {
    const stage = new Stage(() => broken('ECONNREFUSED'));
    await (await stage.client(both)).call('Purchase', PURCHASE);
    expect(new Set(stage.sent.map(({ url }) => url))).toEqual(new Set([BASE + PATH]));
  });
});
