/**
 * What the loader counts: requests by when they were due, answers by what they say, and silence as the time it has lasted.
 */
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../bench/engine/statistics.ts';
import { Tally } from '../../../bench/engine/tally.ts';

const APPROVED = '{"tranId":"1","responseCode":"00"}';

describe('a tally', () => {
  it('counts what was due in its time, and not what was answered in it', () => {
    const tally = new Tally(1000, 2000);
    tally.answered(999, 200, 1500);
    tally.answered(1999, 200, 2004);
    tally.answered(2000, 200, 2001);
    expect(tally.report()).toEqual({ seconds: 1, answered: 1, bad: 0, lost: 0, histogram: [[bucketOf(5_000), 1]] });
  });

  it.each([
    [200, APPROVED, 0],
    [200, 'eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.a.b.c.d', 0],
    [200, '{"responseCode":"91"}', 1],
    [503, APPROVED, 1],
    [200, '', 1],
  ])('takes status %d with %s for what it is', (status, body, bad) => {
    const tally = new Tally(0, 10);
    tally.answered(5, status, 6);
    tally.body(body);
    expect(tally.report()).toMatchObject({ answered: 1, bad });
  });

  it('looks at no body of the warm-up', () => {
    const tally = new Tally(100, 200);
    tally.answered(5, 500, 6);
    tally.body('');
    expect(tally.report()).toMatchObject({ answered: 0, bad: 0 });
  });

  it('counts silence as lost, with the time that it has lasted', () => {
    const tally = new Tally(0, 1000);
    tally.lost(400, 1400);
    expect(tally.report()).toMatchObject({ answered: 0, lost: 1, histogram: [[expect.closeTo(1e6, -5), 1]] });
  });
});
