/**
 * The nine public header fields that every call carries beside its own fields, as parts like any other, so that the one
 * validator proves them too.
 */
import type { FieldName } from './fields.ts';
import type { Part } from './row.ts';

/** In the order in which they are echoed. */
export const HEADER_PARTS = [
  { field: 'participantId', need: 'required' },
  { field: 'tranBranch', need: 'required' },
  { field: 'tranChnl', need: 'required' },
  { field: 'tranCode', need: 'optional' },
  { field: 'tranDate', need: 'required' },
  { field: 'tranTime', need: 'required' },
  { field: 'tranId', need: 'required' },
  { field: 'tellerNo', need: 'optional' },
  { field: 'terminalNo', need: 'optional' },
] as const satisfies readonly Part[];

export const HEADER_NAMES: readonly FieldName[] = HEADER_PARTS.map(part => part.field);
