/**
 * What the lines of revocation mean together. Lines are only ever added, and each ends with its time: so whoever holds one
 * that another has lost may write it back, in any order and any number of times. To lift a revocation is therefore a line,
 * too, about exactly those that it lifts; one that was added at the same time is not touched by it.
 */
import type { Revocation, RevocationKind } from './journal.ts';
import { JournalDefect } from './notice.ts';

/**
 * What is in an `id`, by kind. A client's id has no slash in it.
 * - `client`: the client, and a mark that no other line has;
 * - `tokens`: the client, and the second since 1970 before which its tokens were issued;
 * - `jti`: the token's `jti`;
 * - `lifted`: the `id` of the line of kind `client` that is lifted, and when that was, in milliseconds since 1970.
 */
export type RevocationLine = Pick<Revocation, 'kind' | 'id'>;

/** The mark begins with the time, for people: nothing depends on it. */
export const clientLine = (client: string, atMs: number, mark: string): RevocationLine => ({
  kind: 'client',
  id: `${client}/${atMs}-${mark}`,
});
export const tokensLine = (client: string, beforeSeconds: number): RevocationLine => ({
  kind: 'tokens',
  id: `${client}/${beforeSeconds}`,
});
export const liftedLine = ({ id }: RevocationLine, atMs: number): RevocationLine => ({
  kind: 'lifted',
  id: `${id}/${atMs}`,
});

/** What holds now. */
export type Standing = {
  readonly clients: ReadonlySet<string>;
  /** By client: tokens that were issued before then, in seconds since 1970, are not believed. */
  readonly validFrom: ReadonlyMap<string, number>;
  readonly jtis: ReadonlySet<string>;
};

/** @throws JournalDefect where an `id` is not of its kind's form. */
export function standingOf(lines: Iterable<RevocationLine>): Standing {
  const all = [...lines];
  const validFrom = new Map<string, number>();
  for (const { id } of all.filter(ofKind('tokens'))) {
    const client = subjectOf(id);
    validFrom.set(client, Math.max(validFrom.get(client) ?? 0, timeAtEnd(id)));
  }
  return {
    clients: new Set(inForce(all).map(({ id }) => subjectOf(id))),
    validFrom,
    jtis: new Set(all.filter(ofKind('jti')).map(({ id }) => id)),
  };
}

/** The lines about whole clients that nobody has lifted. */
export function inForce<Line extends RevocationLine>(lines: Iterable<Line>): Line[] {
  const all = [...lines];
  const lifted = new Set(all.filter(ofKind('lifted')).map(({ id }) => id.slice(0, id.lastIndexOf('/'))));
  return all.filter(line => line.kind === 'client' && !lifted.has(line.id));
}

/** The client that a line of any kind but `jti` is about. */
export const subjectOf = (id: string): string => id.split('/', 1)[0] ?? '';

/** What an operator is shown. Times in milliseconds since 1970. */
export type Shown = {
  readonly kind: 'client' | 'jti';
  readonly id: string;
  readonly issuedBeforeMs?: number;
  readonly untilMs: number;
};
export type ShownLists = {
  readonly revoked: readonly Shown[];
  /** Clients of which a revocation was lifted, and when. Kept for as long as that revocation would have held. */
  readonly lifted: readonly { readonly id: string; readonly atMs: number; readonly untilMs: number }[];
};

/** All lines as an operator reads them: a client once, however often it was revoked. */
export function shownOf(lines: Iterable<Revocation>): ShownLists {
  const all = [...lines];
  const clients = new Map<string, Shown>();
  for (const { id: line, untilMs } of inForce(all)) {
    const id = subjectOf(line);
    clients.set(id, { kind: 'client', id, untilMs: Math.max(untilMs, clients.get(id)?.untilMs ?? 0) });
  }
  const tokens = all.filter(ofKind('tokens')).map(
    ({ id, untilMs }): Shown => ({
      ...{ kind: 'client', id: subjectOf(id), untilMs },
      issuedBeforeMs: timeAtEnd(id) * 1000,
    }),
  );
  const jtis = all.filter(ofKind('jti')).map(({ id, untilMs }): Shown => ({ kind: 'jti', id, untilMs }));
  const lifted = new Map<string, ShownLists['lifted'][number]>();
  // One act may have lifted several lines.
  for (const { id, untilMs } of all.filter(ofKind('lifted'))) {
    const act = { id: subjectOf(id), atMs: timeAtEnd(id), untilMs };
    lifted.set(`${act.id}/${act.atMs}`, act);
  }
  return { revoked: [...clients.values(), ...tokens, ...jtis], lifted: [...lifted.values()] };
}

const ofKind =
  (kind: RevocationKind) =>
  (line: RevocationLine): boolean =>
    line.kind === kind;

const timeAtEnd = (id: string): number => {
  const time = Number(id.slice(id.lastIndexOf('/') + 1));
  if (!id.includes('/') || !Number.isSafeInteger(time)) throw new JournalDefect('the journal has a broken revocation');
  return time;
};
