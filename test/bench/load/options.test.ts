/**
 * What may be typed behind `npm run load --`: what it becomes, and that every wrong word is told, all of them at once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USAGE } from '../../../bench/load/arguments.ts';
import { INGREDIENTS, MIX_DEFAULT, parseMix, pick } from '../../../bench/load/mix.ts';
import { type LoadOptions, readOptions } from '../../../bench/load/options.ts';
import { tempDir } from '../../support/places.ts';

const dir = tempDir('load-options');
const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

function good(...argv: readonly string[]): LoadOptions {
  const options = readOptions(argv);
  if (options === 'help' || 'problems' in options) throw new Error(`refused: ${JSON.stringify(options)}`);
  return options;
}
function problems(...argv: readonly string[]): readonly string[] {
  const options = readOptions(argv);
  return options !== 'help' && 'problems' in options ? options.problems : [];
}

describe('the options of npm run load', () => {
  it('without any, load the sandbox with everything in the mix', () => {
    const options = good();
    expect(options).toMatchObject({
      target: undefined,
      schedule: { ratePerSecond: 50, rampMs: 2000, durationMs: 30_000 },
      caller: { kind: 'file', file: undefined, isOauth: false },
      ledger: undefined,
      cards: [],
      out: 'var/load',
    });
    expect(options.mix.map(({ what }) => what).toSorted()).toEqual(
      INGREDIENTS.filter(what => what !== 'transferFund').toSorted(),
    );
  });

  it.each([
    ['500ms', 500],
    ['30', 30_000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('read %s as a time', (text, ms) => {
    expect(good('--duration', text, '--rate', '1').schedule.durationMs).toBe(ms);
  });

  it('take cards from the command line and from a file, with currencies', () => {
    const cards = file('cards.txt', '# of the test bank\n4220-b:392\n\n4220-c\n');
    expect(good('--cards', '4220-a,4220-x:414', '--cards-file', cards).cards).toEqual([
      { cardToken: '4220-a', currency: '840' },
      { cardToken: '4220-x', currency: '414' },
      { cardToken: '4220-b', currency: '392' },
      { cardToken: '4220-c', currency: '840' },
    ]);
  });

  it('take a bearer token in a file, or an OAuth client with keys in files', () => {
    const place = ['--target', 'https://cards.example', '--participant', '100000', '--cards', '4220-a'];
    expect(good(...place, '--token-file', 'token').caller).toEqual({
      kind: 'bearer',
      tokenFile: 'token',
      participantId: '100000',
    });
    const oauth = [...place, '--client-id', 'bank', '--signing-key', 'sign.json'];
    expect(good(...oauth, '--decryption-key', 'open.json').caller).toMatchObject({ decryptionKeyFile: 'open.json' });
    expect(good(...oauth, '--plain').caller).toMatchObject({ kind: 'oauth', decryptionKeyFile: undefined });
  });

  it('tell everything that is wrong, at once', () => {
    const told = problems(
      ...['--rat', '5', 'word', '--rate', '0', '--duration', 'soon', '--ramp', '-1', '--amounts', '9-3'],
      ...['--mix', 'purchas:5,withdraw,refund:1,refund:2', '--cards', '4220-a,4220-a', '--target', 'cards.example'],
      ...['--max-outstanding', '1.5', '--cert', join(dir, 'none.pem'), '--ledger', 'here', '--failed', '101'],
    );
    expect(told).toEqual([
      'there is no --rat: did you mean --rate?',
      'word belongs to no option',
      '--target must be a URL such as https://cards.example/card-api, without a password',
      '--rate must be a number from 0.1 to 100000',
      '--ramp must be a time and at most 24h, such as 500ms, 30s, 5m',
      '--duration must be more than nothing and at most 24h, such as 500ms, 30s, 5m',
      '--mix has no purchas: did you mean purchase?',
      '--mix needs a weight for withdraw, such as withdraw:10',
      '--mix names refund twice',
      '--amounts must be two whole numbers from 1 to 1000000000, such as 100-2000',
      '--max-outstanding must be a whole number from 1 to 65536',
      '--cards names 4220-a twice',
      '--cert and --key go together',
      expect.stringMatching(/^--cert .*none\.pem cannot be read$/),
      '--ledger must be a URL such as https://cards.example/card-api, without a password',
      '--failed must be a number from 0 to 100',
    ]);
  });

  it.each([
    [['--rate', '5', '--rate', '6'], '--rate is there twice'],
    [['--rate'], '--rate takes N'],
    [['--rate', '--oauth'], '--rate takes N'],
    [['--oauth=yes'], '--oauth takes nothing'],
    [['--rate', '100000', '--duration', '1h'], expect.stringContaining('more than 2000000 calls')],
    [['--cards', '4111111111111111'], '--cards takes card tokens, no card numbers'],
    [['--cards', 'a b'], '--cards has a card that is no TOKEN or TOKEN:CURRENCY'],
    [['--cards', '4220-a:000'], '--cards 4220-a has a currency that is none of ISO 4217'],
    [['--cards', ','], '--cards names no card'],
    [['--mix', 'purchase:0'], '--mix needs a weight above 0'],
    [['--target', 'https://me:pass@cards.example'], expect.stringContaining('without a password')],
    [['--plain'], '--plain goes with --oauth or --client-id'],
    [['--issuer', 'x'], '--issuer goes with --client-id'],
    [['--participant', 'x'], '--participant goes with --token-file or --client-id'],
  ])('refuse %j', (argv, problem) => {
    expect(problems(...argv)).toContainEqual(problem);
  });

  it('tell what a caller of its own still needs', () => {
    expect(problems('--client-id', 'bank', '--credentials', 'x')).toEqual([
      '--credentials does not go with --client-id',
      '--client-id needs --target',
      '--client-id needs --participant',
      '--cards or --cards-file is needed',
      '--client-id needs --signing-key',
      '--client-id needs --decryption-key',
    ]);
    expect(problems('--token-file', 'x', '--client-id', 'y')).toContain(
      '--token-file and --client-id are two ways to call: give one',
    );
  });

  it('never repeat a card number that was typed', () => {
    expect(problems('--cards', '4111111111111111,x').join()).not.toContain('4111');
  });

  it('have a help text that names each of them', () => {
    expect(readOptions(['--help', '--rate', 'x'])).toBe('help');
    for (const name of ['--target', '--mix', '--ledger', '--dangerously-allow-plaintext'])
      expect(USAGE).toContain(name);
    expect(USAGE.split('\n').filter(line => line.length > 140)).toEqual([]);
  });
});

describe('a mix', () => {
  it('is drawn from by its weights', () => {
    const mix = parseMix('purchase:70,withdraw:20,replay:10');
    if ('wrong' in mix) throw new Error('the mix is good');
    const drawn = Array.from({ length: 100 }, (_, lot) => pick(mix, lot / 100));
    expect(drawn.filter(what => what === 'purchase')).toHaveLength(70);
    expect(drawn.filter(what => what === 'withdraw')).toHaveLength(20);
    expect(drawn.filter(what => what === 'replay')).toHaveLength(10);
  });

  it('of any text is a mix or says what is wrong, and a mix can always be drawn from', () => {
    const part = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom(...INGREDIENTS), fc.nat(99)).map(each => each.join(':')),
    );
    fc.assert(
      fc.property(fc.array(part), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (parts, lot) => {
        const mix = parseMix(parts.join(','));
        if ('wrong' in mix) expect(mix.wrong.length).toBeGreaterThan(0);
        else expect(mix.map(({ what }) => what)).toContain(pick(mix, lot));
      }),
    );
    expect(parseMix(MIX_DEFAULT)).not.toHaveProperty('wrong');
  });
});
