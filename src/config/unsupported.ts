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

const UNSUPPORTED: readonly Row[] = [
  {
    level: 'problem',
    used: ({ server }) => ((server.workers ?? 1) === 1 ? [] : [['server', 'workers']]),
    what: 'more than one worker is not supported by this version',
    mend: 'write 1, and run several gateways on one Redis',
  },
];

/** Reports every use of a feature that this version does not have. */
export const checkSupported = (drafts: Drafts, findings: Findings): void => {
  for (const row of UNSUPPORTED) {
    for (const path of row.used(drafts)) findings[row.level](path, row.what, row.mend);
  }
};
