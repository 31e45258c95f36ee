/**
 * Checks that what names something names something that is there, once: ids, participants, routes, token hashes. A list
 * with an unreadable name in it is not searched, so that one mistake is not reported twice.
 */
import { type Findings, type Path, pathText } from './findings.ts';
import type { Draft, Drafts } from './schema.ts';
import { didYouMean } from './suggest.ts';

type Named = { readonly name: string; readonly path: Path };

/** Reports every broken, missing or doubled reference. */
export const checkReferences = (drafts: Drafts, findings: Findings): void => {
  const { clients = [], issuers = [], routes = [] } = drafts;
  once(
    clients.flatMap((client, index) => named(client.id, ['clients', index, 'id'])),
    'is the id',
    findings,
  );
  once(
    issuers.flatMap((issuer, index) => named(issuer.id, ['issuers', index, 'id'])),
    'is the id',
    findings,
  );
  once(tokenHashes(clients), 'is the token hash', findings);
  for (const [index, client] of clients.entries()) {
    const own = (client.participants ?? []).flatMap((name, at) => named(name, ['clients', index, 'participants', at]));
    once(own, 'is the participant', findings);
  }
  checkRoutesOnce(routes, findings);
  checkIssuersOfRoutes(drafts, findings);
  checkParticipants(drafts, findings);
  if (drafts.clients?.length === 0) findings.warning(['clients'], 'has no client: nobody can call', 'add one');
};

const named = (name: string | undefined, path: Path): readonly Named[] => (name === undefined ? [] : [{ name, path }]);

const tokenHashes = (clients: readonly Draft<'client'>[]): readonly Named[] =>
  clients.flatMap((client, index) =>
    (client.bearer?.tokenSha256 ?? []).flatMap((hash, at) =>
      named(hash, ['clients', index, 'bearer', 'tokenSha256', at]),
    ),
  );

const once = (all: readonly Named[], isThe: string, findings: Findings): void => {
  const seen = new Map<string, Path>();
  for (const { name, path } of all) {
    const before = seen.get(name);
    if (before === undefined) seen.set(name, path);
    else
      findings.problem(path, `${isThe} of ${pathText(before)} again`, 'make it another one, or remove one of the two');
  }
};

const checkRoutesOnce = (routes: readonly Draft<'route'>[], findings: Findings): void => {
  const seen = new Map<string, number>();
  for (const [index, { participant, cardPrefix }] of routes.entries()) {
    if (participant === undefined || cardPrefix === undefined) continue;
    const key = JSON.stringify([participant, cardPrefix]);
    const before = seen.get(key);
    if (before === undefined) seen.set(key, index);
    else
      findings.problem(
        ['routes', index],
        `has the participant and prefix of routes[${before}]`,
        'remove one of the two',
      );
  }
};

/** The names, or undefined when one of them could not be read, so that nothing can be said about what is missing. */
const allOf = (names: readonly (string | undefined)[] | undefined): ReadonlySet<string> | undefined => {
  const known = names?.filter(name => name !== undefined);
  return known === undefined || known.length !== names?.length ? undefined : new Set(known);
};

const checkIssuersOfRoutes = ({ issuers, routes }: Drafts, findings: Findings): void => {
  const ids = allOf(issuers?.map(issuer => issuer.id));
  const used = allOf(routes?.map(route => route.issuer));
  for (const [index, { issuer }] of (routes ?? []).entries()) {
    if (ids === undefined || issuer === undefined || ids.has(issuer)) continue;
    const mend = didYouMean(issuer, ids, 'add the issuer, or correct the route');
    findings.problem(['routes', index, 'issuer'], 'is not the id of an issuer', mend);
  }
  for (const [index, { id }] of (issuers ?? []).entries()) {
    if (used === undefined || id === undefined || used.has(id)) continue;
    findings.warning(['issuers', index], 'no route leads to this issuer', 'add a route, or remove the issuer');
  }
};

const checkParticipants = ({ clients, routes }: Drafts, findings: Findings): void => {
  const ofClients = allOf(clients?.flatMap(client => client.participants ?? [undefined]));
  const routed = allOf(routes?.map(route => route.participant));
  const routedWhole = new Set(
    routes?.filter(route => route.cardPrefix === '' || route.cardPrefix === undefined).map(route => route.participant),
  );
  for (const [index, { participant }] of (routes ?? []).entries()) {
    if (ofClients === undefined || participant === undefined || ofClients.has(participant)) continue;
    findings.warning(['routes', index, 'participant'], 'no client may name this participant', 'add it to a client');
  }
  for (const [index, { participants = [] }] of (clients ?? []).entries()) {
    for (const [at, participant] of participants.entries()) {
      const path = ['clients', index, 'participants', at];
      if (routed !== undefined && !routed.has(participant)) {
        findings.problem(
          path,
          'no route leads from this participant to an issuer',
          'add {participant, issuer} to routes',
        );
      } else if (routed !== undefined && !routedWhole.has(participant)) {
        const what =
          'every route of this participant has a cardPrefix; calls for other cards, or for none, are refused';
        findings.warning(path, what, 'add a route without cardPrefix if they should not be');
      }
    }
  }
};
