/** What a worker holds ready between the two steps of a reload, where proofs are late, wrong or let go. */
import { expect, it } from 'vitest';
import { Prepared, type Proof } from '../../src/workers/prepared.ts';

/** Configurations that say when they are taken over, and proofs that end when the test wants. */
function stage() {
  const prepared = new Prepared();
  const taken: string[] = [];
  const late = () => {
    const { promise, resolve } = Promise.withResolvers<Proof>();
    return { held: prepared.hold(() => promise), end: resolve };
  };
  return { prepared, taken, late, taking: (name: string) => () => void taken.push(name) };
}

const PROBLEM = { file: 'gateway.yaml', line: 3, path: 'issuers', what: 'lacks one', mend: 'put it back' };

it('F77: takes over what was proved, once', async () => {
  const { prepared, taken, taking } = stage();
  expect(await prepared.hold(async () => taking('one'))).toEqual([]);
  prepared.commit();
  expect(taken).toEqual(['one']);
  expect(() => prepared.commit()).toThrow('nothing is prepared');
});

it('F77: a proof that nobody waits for any more does not take the place of a newer one, or of none', async () => {
  const { prepared, taken, late, taking } = stage();
  const [old, recent] = [late(), late()];
  recent.end(taking('recent'));
  await recent.held;
  old.end(taking('old'));
  await old.held;
  prepared.commit();
  expect(taken).toEqual(['recent']);
  const last = late();
  prepared.letGo();
  last.end(taking('last'));
  await last.held;
  expect(() => prepared.commit()).toThrow('nothing is prepared');
});

it('F77: what is wrong is told, and leaves nothing of before', async () => {
  const { prepared, taken, taking } = stage();
  await prepared.hold(async () => taking('before'));
  expect(await prepared.hold(async () => [PROBLEM])).toEqual([PROBLEM]);
  expect(() => prepared.commit()).toThrow('nothing is prepared');
  expect(taken).toEqual([]);
});
