/**
 * The kinds of single values in the configuration, as zod types. Each says what is wrong and how to mend it in words of
 * its own, and reads a filled-in value as the kind that is wanted: a token of digits stays text, a port becomes a number.
 */
import { z } from 'zod';
import { listOf, Substituted, scalarOf, Unresolved } from './document.ts';
import { Fault } from './fault.ts';
import { nearest } from './suggest.ts';

/** A configuration is read once: making code for each type of it takes longer than reading with them. */
z.config({ jitless: true });

const MISSING = new Fault('is missing', 'add it');
/** Nothing that the configuration names is longer; keys and tokens neither. */
const TEXT_LENGTH_MAX = 8192;

const kindOf = (value: unknown): string => {
  if (value === null) return 'is empty';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'number') return 'is a number';
  if (typeof value === 'boolean') return 'is true or false';
  return typeof value === 'string' ? 'is text' : 'is a map of keys';
};

/** A zod type from a function that reads a value or gives a fault. */
export const value = <T>(read: (given: unknown) => T | Fault) =>
  z.unknown().transform((given, context): T => {
    const result = given === undefined ? MISSING : read(given);
    if (!(result instanceof Fault)) return result;
    context.addIssue({ code: 'custom', message: result.what, params: { mend: result.mend } });
    return z.NEVER;
  });

const readText = (given: unknown): string | Fault => {
  const text = given instanceof Substituted ? given.reveal() : given;
  if (typeof text === 'number' || typeof text === 'boolean') {
    return new Fault(`${kindOf(text)}, not text`, 'put it in quotes');
  }
  if (typeof text !== 'string') return new Fault(`${kindOf(text)}, not text`, 'write text');
  if (text === '') return new Fault('is empty', 'give it a value, or remove the key if it is optional');
  return text.length > TEXT_LENGTH_MAX ? new Fault('is too long', 'shorten it') : text;
};

/** Text that a function turns into a proven value. */
export const text = <T>(prove: (given: string) => T | Fault) =>
  value(given => {
    const read = readText(given);
    return read instanceof Fault ? read : prove(read);
  });

/** Text of a given form; `form` continues "write". */
export const matching = (pattern: RegExp, what: string, form: string) =>
  text(given => (pattern.test(given) ? given : new Fault(what, `write ${form}`)));

/** Single values that are not text: a filled-in one is read as YAML if it is all of its value. */
const readScalar = (given: unknown): unknown =>
  given instanceof Substituted ? (given.whole ? scalarOf(given.reveal()) : given.reveal()) : given;

/** A whole number from `least` to `most`, counted in `unit`. */
export const whole = (least: number, most: number, unit = '') =>
  value(given => {
    const number = readScalar(given);
    const mend = `write a whole number${unit === '' ? '' : ` of ${unit}`} from ${least} to ${most}`;
    if (number === undefined) return new Fault('is filled in with something that is not a number', mend);
    if (typeof number !== 'number') return new Fault(`${kindOf(number)}, not a number`, mend);
    if (!Number.isSafeInteger(number)) return new Fault('is not a whole number', mend);
    if (number < least || number > most) return new Fault('is out of range', mend);
    return number;
  });

/** `true` or `false`. */
export const flag = () =>
  value(given => {
    const read = readScalar(given);
    return typeof read === 'boolean' ? read : new Fault('is neither true nor false', 'write true or false');
  });

/** One of a few words. */
export const oneOf = <const W extends string>(...words: readonly W[]) =>
  text((given): W | Fault => {
    const word = words.find(known => known === given);
    if (word !== undefined) return word;
    const near = nearest(given, words);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    return new Fault('is not a value known here', `write ${words.join(' or ')}${hint}`);
  });

/** A list. One that is filled in as a whole is read as YAML, and may hold single values only. */
export const list = <T extends z.ZodType>(of: T) =>
  z.preprocess(
    given => (given instanceof Substituted && given.whole ? (listOf(given.reveal()) ?? given) : given),
    z.array(of),
  );

/** A map with these keys and no others. It is always written out in the file. */
export const map = <T extends z.ZodRawShape>(shape: T) => z.preprocess(notObject, z.strictObject(shape));

/** A map from names to values. */
export const mapOf = <T extends z.ZodType>(of: T) => z.preprocess(notObject, z.record(z.string(), of));

/** To zod every object is a map, but these two are single values. */
const notObject = (given: unknown): unknown =>
  given instanceof Substituted || given instanceof Unresolved ? '' : given;
