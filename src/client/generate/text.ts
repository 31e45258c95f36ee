/**
 * The text of the client's generated files, made of the catalogue: the fields with their meaning, what each API takes and
 * gives, and the little of each row that the client needs while it runs. Pure; `write.ts` puts it in its place.
 */
import { APIS } from '../../catalogue/apis.ts';
import { FIELDS, type FieldName, fieldRow, isFieldName } from '../../catalogue/fields.ts';
import { HEADER_PARTS } from '../../catalogue/header.ts';
import type { ApiRow, Condition, FieldType, Part } from '../../catalogue/row.ts';
import { RESPONSE_CODES } from '../../domain/responseCode.ts';

/** The generated files by their name in `src/client`. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'fields.ts': fieldsFile(),
  'requests.ts': messagesFile('Requests', 'request', 'What each API takes, beside the header.'),
  'responses.ts': messagesFile('Responses', 'response', 'What each API gives with `00`.'),
  'apis.ts': apisFile(),
});

const LINE_MAX = 118;

const opening = (does: string): string =>
  doc(
    '',
    [`${does} Generated from src/catalogue by \`npm run client-types\`: change the catalogue, not this file.`],
    true,
  );
const UNFORMATTED = '// biome-ignore-all format: lines are filled, so that a message can be read at a glance';

const quoted = (text: string): string => `'${text}'`;

/** A comment of these paragraphs, on one line where it fits. */
function doc(indent: string, paragraphs: readonly string[], open = false): string {
  const short = `${indent}/** ${paragraphs.join(' ')} */`;
  if (!open && paragraphs.length === 1 && short.length <= LINE_MAX) return short;
  const lines = paragraphs.flatMap(text => filled(`${indent} * `, `${indent} * `, text.split(' '), ' ').split('\n'));
  return [`${indent}/**`, ...lines, `${indent} */`].join('\n');
}

/** The pieces one after the other, in lines that are as full as can be; a piece that no line holds is broken at blanks. */
function filled(start: string, indent: string, pieces: readonly string[], separator: string): string {
  const lines: string[] = [];
  let line = start;
  let empty = true;
  const fits = (text: string): boolean => line.length + text.length <= LINE_MAX;
  const add = (text: string): void => {
    line += text;
    empty = false;
  };
  const nextLine = (end: string): void => {
    lines.push(line + end.trimEnd());
    line = indent;
    empty = true;
  };
  for (const piece of pieces) {
    const joined = (empty ? '' : separator) + piece;
    if (fits(joined)) {
      add(joined);
      continue;
    }
    if (!empty) nextLine(separator);
    for (const word of fits(piece) ? [piece] : piece.split(' ')) {
      const next = (empty ? '' : ' ') + word;
      if (fits(next) || empty) add(next);
      else {
        nextLine('');
        add(word);
      }
    }
  }
  return [...lines, line].join('\n');
}

function fieldsFile(): string {
  const names = Object.keys(FIELDS).filter(isFieldName);
  const lines = names.map(name => {
    const { type } = fieldRow(name);
    return `${doc('  ', [docOf(name)])}\n${filled(`  readonly ${name}: `, '    ', [`${valueType(type)};`], '')}`;
  });
  const intro = opening('Every field of the contract by its name on the wire.');
  return `${intro}\n${UNFORMATTED}\nexport interface Fields {\n${lines.join('\n')}\n}\n`;
}

/** The values of one literal type. */
const union = (values: Readonly<Record<string, string>>): string =>
  Object.keys(values).toSorted().map(quoted).join(' | ');

function valueType(type: FieldType): string {
  if (type.kind === 'enum') return union(type.values);
  return type.kind === 'enums' ? `readonly (${union(type.values)})[]` : 'string';
}

function docOf(name: FieldName): string {
  const { type, meaning, data, default: preset } = fieldRow(name);
  const sentences = [
    capital(meaning),
    formOf(type),
    preset === undefined ? '' : `Absent: ${preset}`,
    data === 'sad' ? 'Nobody stores it' : '',
  ];
  return sentences
    .filter(sentence => sentence !== '')
    .join('. ')
    .concat('.');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const range = ({ min, max }: { readonly min?: number; readonly max: number }): string =>
  min === undefined ? `up to ${max}` : `${min} to ${max}`;

/** The form of a value, for the person who writes one. */
function formOf(type: FieldType): string {
  switch (type.kind) {
    case 'AN':
      return `Text, up to ${type.max}`;
    case 'id':
      return `Letters, digits, - and _, up to ${type.max}`;
    case 'N':
      return `Digits, ${range(type)}${type.most === undefined ? '' : `, at most ${type.most}`}`;
    case 'N3':
      return 'Three digits';
    case 'A':
      return `Letters, up to ${type.max}`;
    case 'hex':
      return `Hexadecimal, up to ${type.max}`;
    case 'email':
      return `Up to ${type.max}`;
    case 'money':
      return 'Such as 12.50';
    case 'date':
      return 'YYYYMMDD';
    case 'time':
      return 'HHMMSS';
    case 'datetime':
      return 'YYYYMMDDHHMMSS';
    case 'YYMM':
      return 'YYMM';
    case 'enum':
    case 'enums':
      return wordsOf(type.values);
  }
}

/** What the values mean, where they do not say it themselves. */
const wordsOf = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .filter(([value, meaning]) => value !== meaning)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([value, meaning]) => `${value}: ${meaning}`)
    .join(', ');

const SHAPES = [
  'AtLeastOne',
  'CountedRecords',
  'May',
  'Must',
  'NotWhen',
  'NotWith',
  'OneOf',
  'Records',
  'When',
  'With',
];

function messagesFile(name: string, part: 'request' | 'response', does: string): string {
  const members = APIS.map(row => {
    const types = typesOf(row[part], part === 'response');
    const [last = 'object', ...others] = types.toReversed();
    const text = filled(`  readonly ${row.name}: `, '    ', [...others.toReversed(), `${last};`], ' & ');
    return `${doc('  ', aboutApi(row, part))}\n${text}`;
  });
  const used = SHAPES.filter(shape => members.some(member => new RegExp(`\\b${shape}<`).test(member)));
  const imports = `import type { ${used.join(', ')} } from './shapes.ts';`;
  return `${opening(does)}\n${UNFORMATTED}\n${imports}\n\nexport interface ${name} {\n${members.join('\n')}\n}\n`;
}

/** What it does and what its parts mean in this message. */
const aboutApi = ({ no, module, meaning, ...row }: ApiRow, part: 'request' | 'response'): readonly string[] => [
  `${part === 'request' ? `${meaning}. ` : ''}No. ${no}, ${module}.`,
  ...row[part].flatMap(each => ('note' in each && each.note ? [`\`${each.field}\`: ${each.note}.`] : [])),
];

/** The parts of a message as types that hold together. */
function typesOf(parts: readonly Part[], counted: boolean): readonly string[] {
  const must = namesOf(parts, 'required');
  const may = namesOf(parts, 'optional');
  const lists = parts.filter(part => 'list' in part);
  const optional = [
    ...(may.length === 0 ? [] : [`May<${may.map(quoted).join(' | ')}>`]),
    ...lists.flatMap(list => (list.need === 'optional' ? [`Partial<${listType(list, counted)}>`] : [])),
  ];
  return [
    ...parts.flatMap(part => ('oneOf' in part ? [`OneOf<${part.oneOf.map(quoted).join(' | ')}>`] : [])),
    ...(must.length === 0 ? [] : [`Must<${must.map(quoted).join(' | ')}>`]),
    ...lists.flatMap(list => (list.need === 'required' ? [listType(list, counted)] : [])),
    ...parts.flatMap(part => ('when' in part ? [conditionType(part.field, part.need, part.when)] : [])),
    ...(parts.some(part => 'atLeastOne' in part) ? [`AtLeastOne<${optional.join(' & ')}>`] : optional),
  ];
}

/** The fields with this need, whatever the others have. */
const namesOf = (parts: readonly Part[], need: 'required' | 'optional'): readonly string[] =>
  parts.flatMap(part => ('field' in part && !('when' in part) && part.need === need ? [part.field] : []));

function conditionType(field: FieldName, need: 'required' | 'forbidden', when: Condition): string {
  const not = need === 'forbidden' ? 'Not' : '';
  if ('present' in when) return `${not}With<${quoted(when.present)}, ${quoted(field)}>`;
  return `${not}When<${[when.field, when.is, field].map(quoted).join(', ')}>`;
}

const listType = ({ of }: Extract<Part, { readonly list: string }>, counted: boolean): string =>
  `${counted ? 'CountedRecords' : 'Records'}<${typesOf(of, false).join(' & ')}>`;

function apisFile(): string {
  const rows = APIS.map(row => filled(`  ${row.name}: { `, '    ', factsOf(row), ', ').concat(' },'));
  const header = namesOf(HEADER_PARTS, 'required').map(quoted);
  const headerMay = namesOf(HEADER_PARTS, 'optional').map(quoted);
  const codes = Object.keys(RESPONSE_CODES).toSorted().map(quoted);
  return [
    opening('What the client has to know of the contract while it runs.'),
    UNFORMATTED,
    "import type { Requests } from './requests.ts';",
    '',
    '/** The header fields that every message has, and those that it may have. */',
    filled('export type HeaderName = ', '  ', [`${header.join(' | ')};`], ''),
    filled('export type HeaderMayName = ', '  ', [`${headerMay.join(' | ')};`], ''),
    '',
    '/** Every response code. */',
    filled('export const CODES = [', '  ', [...codes.slice(0, -1), `${codes.at(-1)}] as const;`], ', '),
    '',
    'export type ApiFacts = {',
    '  /** Below the base URL. */',
    '  readonly path: string;',
    '  /**',
    '   * Fields that count a try wherever they arrive, in an API that nobody remembers: a call with one of them is not sent',
    '   * again when it may have arrived.',
    '   */',
    '  readonly once?: readonly string[];',
    '  /** What an approval has for certain. */',
    '  readonly gives?: readonly string[];',
    '  /** What each of its records has for certain. */',
    '  readonly each?: readonly string[];',
    '};',
    '',
    'export const APIS: Readonly<Record<keyof Requests, ApiFacts>> = {',
    ...rows,
    '};',
    '',
  ].join('\n');
}

const listOf = (name: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${name}: [${names.map(quoted).join(', ')}]`];

function factsOf(row: ApiRow): readonly string[] {
  const taken = row.request.flatMap(part => ('field' in part ? [part.field] : []));
  const once = row.class === 'inquiry' ? taken.filter(name => fieldRow(name).data === 'sad') : [];
  const list = row.response.filter(part => 'list' in part).find(part => part.need === 'required');
  const each = list ? namesOf(list.of, 'required') : [];
  const gives = [...namesOf(row.response, 'required'), ...(list ? ['recordNum', 'recordList'] : [])];
  return [`path: ${quoted(row.path)}`, ...listOf('once', once), ...listOf('gives', gives), ...listOf('each', each)];
}
