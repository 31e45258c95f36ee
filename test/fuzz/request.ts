/**
 * Requests put together from parts. From the parts follows what may come of the request, so that a test can judge any
 * mixture without knowing it.
 */
import fc from 'fast-check';
import {
  authorizations,
  bodies,
  type Framed,
  framings,
  LINES,
  MEDIA,
  METHODS,
  type Part,
  TARGETS,
  timestamps,
  VERSIONS,
  type Verdict,
} from './requestParts.ts';

/** What a request needs of its sender. `hiddenId`: the `tranId` of a good request that is hidden in some of the bodies. */
export type Sender = { readonly token: string; readonly tranId: string; readonly hiddenId: string };

export type Request = {
  readonly text: string;
  readonly verdict: Verdict;
  readonly isHead: boolean;
  readonly unfinished: boolean;
};

/** The places of a request, with what can stand there. */
const PARTS = {
  method: () => METHODS,
  target: () => TARGETS,
  version: () => VERSIONS,
  authorization: ({ token }: Sender) => authorizations(token),
  timestamp: timestamps,
  media: () => MEDIA,
  line: () => LINES,
  body: ({ tranId }: Sender) => bodies(tranId),
} as const;
type Place = keyof typeof PARTS | 'framing';
const PLACES: readonly Place[] = [
  'framing',
  'method',
  'target',
  'version',
  'authorization',
  'timestamp',
  'media',
  'line',
  'body',
];

/** Where a request differs from a good one, and which of the parts that there are stands there. */
type Change = { readonly at: Place; readonly which: number };
export type Recipe = readonly Change[];

/** Nothing is changed, or one to three places are, at random. */
export const recipes: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  {
    weight: 9,
    arbitrary: fc.uniqueArray(fc.record({ at: fc.constantFrom(...PLACES), which: fc.nat(999) }), {
      minLength: 1,
      maxLength: 3,
      selector: ({ at }) => at,
    }),
  },
);

const pick = <One extends Part>(all: readonly One[], which: number): One => {
  const found = all[which % all.length];
  if (!found) throw new Error('a place without parts');
  return found;
};

/** The bytes of a request. An empty recipe makes a good one. */
export function requestOf(recipe: Recipe, sender: Sender): Request {
  const { text, framing, parts } = partsOf(recipe, sender);
  const verdicts = parts.map(({ verdict }) => verdict);
  const verdict = verdicts.includes('bad') ? 'bad' : verdicts.includes('either') ? 'either' : 'good';
  return { text, verdict, isHead: text.startsWith('HEAD '), unfinished: framing.unfinished === true };
}

function partsOf(recipe: Recipe, sender: Sender) {
  const which = (place: Place): number => recipe.find(({ at }) => at === place)?.which ?? 0;
  const hidden = sender.hiddenId === '' ? '' : requestOf([], { ...sender, tranId: sender.hiddenId, hiddenId: '' }).text;
  const at = (place: keyof typeof PARTS): Part => pick(PARTS[place](sender), which(place));
  const json = at('body');
  const framing: Framed = pick(framings(json.text, hidden), which('framing'));
  const [method, target, version] = [at('method'), at('target'), at('version')];
  const lines = [at('authorization'), at('timestamp'), at('media'), at('line'), framing];
  const head = `${method.text} ${target.text} ${version.text}\r\nHost: gateway.example\r\n`;
  const text = `${head}${lines.map(line => line.text).join('')}\r\n${framing.body}`;
  // Its end is not certain (RFC 9112, 6.1).
  const oldInChunks = version.text === 'HTTP/1.0' && framing.text.startsWith('Transfer-Encoding');
  const parts: Part[] = [method, target, version, json, ...lines];
  return { text, framing, parts: oldInChunks ? [...parts, { text: '', verdict: 'bad' } satisfies Part] : parts };
}

/** Every part that there is once, in a request that is good but for it. */
export const singles = (): Recipe[] => {
  const nobody = { token: 'token', tranId: 'T', hiddenId: '' };
  const count = (place: Place) => (place === 'framing' ? framings('{}', '') : PARTS[place](nobody)).length;
  return PLACES.flatMap(at => Array.from({ length: count(at) }, (_, which) => [{ at, which }]));
};
