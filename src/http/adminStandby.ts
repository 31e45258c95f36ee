/**
 * Standby on the admin port: an operator sends the callers of this site to another one, and takes them back. The address is
 * proved to be a site and nothing else, since callers will follow it with their messages.
 */
import { isPlaintextBeyondLoopback } from '../config/addresses.ts';
import type { Standby } from '../journal/journal.ts';
import { bad, type Members, operatorRoutes, readMembers, smallBody } from './operatorRequest.ts';

export type AdminStandby = {
  /** Puts the site on standby, or with null back to work; false where the journal is away or did not tell. */
  readonly set: (location: string | null) => Promise<boolean>;
  /** What was last said; null where nothing ever was. */
  readonly said: () => Standby | null | Promise<Standby | null>;
  /** Where the APIs of every site are; an address may end with it. */
  readonly basePath: string;
};

/** Longer than any host name (253) with its scheme and port. */
const LOCATION_MOST = 300;
const MEND = 'write https://host or https://host:port';
const AWAY = { error: 'the journal is away: ask how it stands, and say it again' } as const;

/** The routes below `/admin/standby`. */
export const standbyRoutes = ({ set, said, basePath }: AdminStandby) => {
  const app = operatorRoutes();
  app.post('/', smallBody, async context => {
    const members = await readMembers(context);
    const asked = typeof members === 'string' ? members : readLocation(members, basePath);
    if (typeof asked === 'string') return bad(context, asked);
    return (await set(asked.origin)) ? context.body(null, 204) : context.json(AWAY, 503);
  });
  app.delete('/', async context => ((await set(null)) ? context.body(null, 204) : context.json(AWAY, 503)));
  app.get('/', async context => context.json(shownOf(await said())));
  return app;
};

const shownOf = (said: Standby | null): object => ({
  standby: (said?.location ?? null) !== null,
  ...(said?.location ? { location: said.location } : {}),
  ...(said ? { since: new Date(said.sinceMs).toISOString() } : {}),
});

/** The site that is meant, or what is wrong. */
const readLocation = ({ location, ...others }: Members, basePath: string): { readonly origin: string } | string => {
  if (Object.keys(others).length > 0) return 'the body has members other than location';
  if (typeof location !== 'string' || location.length > LOCATION_MOST) {
    return `location must be a text of at most ${LOCATION_MOST} characters`;
  }
  const url = URL.parse(location);
  if (url === null) return `location is not an address: ${MEND}`;
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `location is not https: ${MEND}`;
  if (isPlaintextBeyondLoopback(url.origin))
    return `location is plain http, and would be followed in the clear: ${MEND}`;
  if (url.username !== '' || url.password !== '') return `location holds a user name or a password: ${MEND}`;
  if (/[?#]/.test(location)) return `location has a query or a fragment: ${MEND}`;
  const path = url.pathname.replace(/\/$/, '');
  if (path !== '' && path !== basePath) return `location has a path other than ${basePath || '/'}: ${MEND}`;
  return { origin: url.origin };
};
