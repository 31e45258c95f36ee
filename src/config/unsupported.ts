/**
 * What the configuration can say and this version does not do yet: one row each. Where silence would be unsafe the
 * gateway does not start. Supporting a feature begins with deleting its row.
 */
import type { Findings, Path } from './findings.ts';
import type { Drafts } from './schema.ts';

type Row = {
  readonly level: 'problem' | 'warning';
  /** Where the feature is used. */
  readonly used: (drafts: Drafts) => readonly Path[];
  readonly what: string;
  readonly mend: string;
};

type Entries<E> = readonly E[] | undefined;

const inEach = <E>(list: string, entries: Entries<E>, uses: (entry: E) => boolean, ...key: readonly string[]): Path[] =>
  (entries ?? []).flatMap((entry, index) => (uses(entry) ? [[list, index, ...key]] : []));

const UNSUPPORTED: readonly Row[] = [
  {
    level: 'problem',
    used: ({ server }) => (server.tls === undefined ? [] : [['server', 'tls']]),
    what: 'TLS on the public port is not supported by this version',
    mend: 'remove it, and end TLS in a proxy on this machine',
  },
  {
    level: 'problem',
    used: ({ server }) => ((server.workers ?? 1) === 1 ? [] : [['server', 'workers']]),
    what: 'more than one worker is not supported by this version',
    mend: 'write 1, and run several gateways on one Redis',
  },
  {
    level: 'warning',
    used: ({ clients }) => inEach('clients', clients, client => client.oauth !== undefined, 'oauth'),
    what: 'this version has no token endpoint yet; the client cannot call',
    mend: 'give the client a bearer token instead, or leave it for a later version',
  },
  {
    level: 'problem',
    used: ({ issuers }) =>
      inEach('issuers', issuers, issuer => issuer.credentials?.oauth !== undefined, 'credentials', 'oauth'),
    what: 'OAuth towards an issuer is not supported by this version',
    mend: 'write credentials: {bearer: ...}',
  },
  {
    level: 'problem',
    used: ({ issuers }) => inEach('issuers', issuers, issuer => issuer.payload === 'encrypted', 'payload'),
    what: 'encrypted payloads towards an issuer are not supported by this version',
    mend: 'remove it',
  },
  {
    level: 'problem',
    used: ({ issuers }) => inEach('issuers', issuers, issuer => issuer.mtls !== undefined, 'mtls'),
    what: 'client certificates towards an issuer are not supported by this version',
    mend: 'remove it',
  },
];

/** Reports every use of a feature that this version does not have. */
export const checkSupported = (drafts: Drafts, findings: Findings): void => {
  for (const row of UNSUPPORTED) {
    for (const path of row.used(drafts)) findings[row.level](path, row.what, row.mend);
  }
};
