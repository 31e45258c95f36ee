/**
 * The shape of the catalogue: what is known about a field and about an API. Rows are data (`fields.ts`, `apis.ts`);
 * validation, routes, scopes, storage rules and doubt policies are derived from them and written nowhere else.
 */
import type { ApiName } from '../domain/ids.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import type { FieldName } from './fields.ts';

/** The fields that give the currency of an amount. */
export type MoneyCurrency = 'tranCurrency' | 'billCurrency' | 'balanceCurrency';

/** The form of a value on the wire; lengths are in code points. */
export type FieldType =
  | { readonly kind: 'AN'; readonly max: number }
  | { readonly kind: 'id'; readonly max: number }
  | { readonly kind: 'N'; readonly min?: number; readonly max: number; readonly most?: number; readonly luhn?: true }
  | { readonly kind: 'N3' }
  | { readonly kind: 'A'; readonly max: number }
  | { readonly kind: 'hex'; readonly max: number }
  | { readonly kind: 'email'; readonly max: number }
  /** An amount in the currency that the named field gives; without one only the wire form is checked. */
  | { readonly kind: 'money'; readonly currency?: MoneyCurrency; readonly positive?: true }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' }
  | { readonly kind: 'datetime' }
  | { readonly kind: 'YYMM' }
  | { readonly kind: 'enum'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'enums'; readonly values: Readonly<Record<string, string>> };

/** How a value is protected: pan is masked and sealed at rest, pii is never logged and sealed, sad is never stored. */
export type DataClass = 'public' | 'pan' | 'pii' | 'sad';

export type FieldRow = {
  readonly type: FieldType;
  readonly data?: Exclude<DataClass, 'public'>;
  readonly default?: string;
  /** The refusal of a message in which nothing but the value of this field is wrong; `format` where it is absent. */
  readonly refusal?: RefusalReason;
  readonly meaning: string;
};

/** A condition on the other fields of the same message. */
export type Condition = { readonly field: FieldName; readonly is: string } | { readonly present: FieldName };

/** One part of a message: a field with its need, exactly one of several fields, or a list of records. */
export type Part =
  /** `note` says what the presence or absence of the field means in this message, for whoever integrates it. */
  | { readonly field: FieldName; readonly need: 'required' | 'optional'; readonly note?: string }
  /** Required when the condition holds, optional otherwise. */
  | { readonly field: FieldName; readonly need: 'required'; readonly when: Condition; readonly note?: string }
  /** Not allowed when the condition holds, optional otherwise. */
  | { readonly field: FieldName; readonly need: 'forbidden'; readonly when: Condition }
  | { readonly oneOf: readonly FieldName[] }
  /** `recordNum` and `recordList` of a response, or `recordList` of a request. */
  | { readonly list: 'recordList'; readonly need: 'required' | 'optional'; readonly of: readonly Part[] }
  /** At least one of the optional fields must be there; a list counts where it has a record. */
  | { readonly atLeastOne: true };

export type Module =
  | 'Application'
  | 'Customer'
  | 'Account'
  | 'Card'
  | 'Transaction'
  | 'Token'
  | 'Authentication'
  | 'Parameter';

/** Mandatory, optional, conditional, not available; blank reads as optional. */
export type Mark = 'M' | 'O' | 'C' | 'NA' | '';

export type ApiClass = 'debit' | 'credit' | 'hold' | 'release' | 'reversal' | 'inquiry' | 'command';

/** What is owed when the outcome is unknown (design, section 3). `none` is not journalled. */
export type OnUnknown = 'reverse' | 'release' | 'repeat' | 'resend' | 'undo' | 'none';

export type ApiRow = {
  /** Number in the published list, 1 to 48; 9 is blank there. */
  readonly no: number;
  readonly module: Module;
  readonly name: ApiName;
  /** Path below the base path. */
  readonly path: string;
  /** What it does, in a line without a full stop. */
  readonly meaning: string;
  readonly prepaid: Mark;
  readonly debit: Mark;
  readonly class: ApiClass;
  readonly onUnknown: OnUnknown;
  /** Replaces `onUnknown` in a message that has `originalTranId`. */
  readonly onUnknownWithOriginal?: OnUnknown;
  /**
   * What `originalTranId` means here: `reversed` the original is undone; `required` the original must stand, so that
   * it is looked up first; `mentioned` it is for the record, and only must not be another client's.
   */
  readonly original?: 'reversed' | 'required' | 'mentioned';
  /** Whether a caller's Reversal may name this API's transactions. */
  readonly reversible?: true;
  /** No longer offered: it is as if it were not there, unless the scopes of a client name it by itself. */
  readonly retired?: true;
  /**
   * A sad field of the answer is the whole point. The stored answer lacks it, so that a repeat of an approved call asks
   * the issuer again.
   */
  readonly askAgain?: true;
  readonly request: readonly Part[];
  readonly response: readonly Part[];
  readonly source: 'vendor' | 'partial' | 'designed';
};
