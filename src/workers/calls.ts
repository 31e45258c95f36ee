/**
 * What a supervisor asks its workers, and what they tell it by themselves: everything that passes between the processes of
 * one gateway. Values travel as JSON.
 */
import type { Problem } from '../config/config.ts';
import type { Share } from '../config/share.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { Readiness } from '../http/admin.ts';
import type { AdminRevocations, RevokeAsked, RevokeEnd } from '../http/adminRevocations.ts';
import type { Standby } from '../journal/journal.ts';
import type { ShownLists } from '../journal/revoked.ts';
import type { Extent } from '../runtime/metrics.ts';
import type { MetricsPart } from '../runtime/metricsSum.ts';

/** What a worker starts with. */
export type Given = { readonly snapshot: Snapshot; readonly share: Share };

/** How a start ended; after anything but `listening` the worker ends by itself. */
export type Started =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  | { readonly kind: 'failed'; readonly why: string };

export type WorkerCalls = {
  readonly start: (given: Given) => Promise<Started>;
  /** Proves that this configuration can be taken over, and holds it ready; null: the one that is ready is let go. */
  readonly prepare: (next: Snapshot | null) => Promise<readonly Problem[]>;
  /** Takes over what was prepared. */
  readonly commit: () => Promise<null>;
  /** Begins the orderly end; the end of the process is the end of it. */
  readonly drain: () => Promise<null>;
  readonly metrics: (extent: Extent) => Promise<MetricsPart>;
  readonly readiness: () => Promise<Readiness>;
  readonly revoke: (asked: RevokeAsked) => Promise<RevokeEnd>;
  readonly lift: (client: string) => ReturnType<AdminRevocations['lift']>;
  /** Asks the journal, so that what it tells holds here as well. */
  readonly revoked: () => Promise<ShownLists | null>;
  readonly setStandby: (location: string | null) => Promise<boolean>;
  readonly standby: () => Promise<Standby | null>;
};

export type CallName = keyof WorkerCalls;
export type Asked<Name extends CallName> = Parameters<WorkerCalls[Name]>[0];
export type Answered<Name extends CallName> = Awaited<ReturnType<WorkerCalls[Name]>>;

/** What goes from the supervisor to a worker. */
export type Ask = { readonly ask: number; readonly call: CallName; readonly given: unknown };
/** What comes back: an answer, a failure, of which the worker's log tells, or the last metrics before its end. */
export type Told =
  | { readonly to: number; readonly value: unknown }
  | { readonly to: number; readonly failed: true }
  | { readonly last: MetricsPart };
