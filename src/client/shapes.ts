/**
 * The words in which the generated messages are written: which fields must be there, which may, and what one field asks of
 * another. All of it is types; nothing here is left in the JavaScript.
 */
import type { Fields } from './fields.ts';

type FieldName = keyof Fields;

/** These fields are there. */
export type Must<Name extends FieldName> = Pick<Fields, Name>;
/** These fields may be there. */
export type May<Name extends FieldName> = Partial<Pick<Fields, Name>>;
/** These fields are not there. */
export type Without<Name extends FieldName> = { readonly [Each in Name]?: never };

/** Exactly one of the fields. */
export type OneOf<Name extends FieldName, All extends FieldName = Name> = Name extends FieldName
  ? Must<Name> & Without<Exclude<All, Name>>
  : never;

/** Whatever is in the object, and at least one thing of it. */
export type AtLeastOne<Message> = Message & { [Name in keyof Message]-?: Required<Pick<Message, Name>> }[keyof Message];

/** The field must be there when the other one is. */
export type With<Other extends FieldName, Name extends FieldName> = Must<Other | Name> | (Without<Other> & May<Name>);
/** The field must not be there when the other one is. */
export type NotWith<Other extends FieldName, Name extends FieldName> =
  | (Must<Other> & Without<Name>)
  | (Without<Other> & May<Name>);

type Is<Other extends FieldName, Value> = { readonly [Each in Other]: Value };
type IsNot<Other extends FieldName, Value> = { readonly [Each in Other]?: Exclude<Fields[Other], Value> };

/** The field must be there when the other one has the value. */
export type When<Other extends FieldName, Value extends Fields[Other], Name extends FieldName> =
  | (Is<Other, Value> & Must<Name>)
  | (IsNot<Other, Value> & May<Name>);
/** The field must not be there when the other one has the value. */
export type NotWhen<Other extends FieldName, Value extends Fields[Other], Name extends FieldName> =
  | (Is<Other, Value> & Without<Name>)
  | (IsNot<Other, Value> & May<Name>);

/** A list of records. */
export type Records<Each> = { readonly recordList: readonly Each[] };
/** A list of records in an answer, with their number. */
export type CountedRecords<Each> = Records<Each> & {
  /** How many records this page has, in digits. */
  readonly recordNum: string;
};
