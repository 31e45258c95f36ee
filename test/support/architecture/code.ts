/**
 * The rules about what is inside a file: time, chance and the environment only through their ports, nothing unproved,
 * nothing too long, and every file says what it is for.
 */
import { fileRule, inSrc, type Rule } from './rule.ts';
import { isNode, type Node, type Source } from './source.ts';

const FUNCTION_LINES = 70;
const FILE_LINES = 400;

/**
 * The sandbox is a program of its own; the runtime is where time and chance come from, and the client, which is used where
 * there is no gateway, has a runtime of its own.
 */
const outsideRuntime = (path: string): boolean =>
  inSrc(path) && !/^src\/(runtime\/|sandbox\/|client\/system\.ts$)/.test(path);
const outsideConfig = (path: string): boolean => inSrc(path) && !path.startsWith('src/config/');
const isTypeScript = (path: string): boolean => path.endsWith('.ts');

const CLOCK = 'take a Clock (src/runtime/clock.ts) as an argument';
const CHANCE = 'take a Random (src/runtime/random.ts) as an argument';

/** Members of global objects that tell the time, wait, or draw lots. */
const MEMBERS: Readonly<Record<string, string>> = {
  'Date.now': CLOCK,
  'performance.now': CLOCK,
  'performance.timeOrigin': CLOCK,
  'process.hrtime': CLOCK,
  'process.uptime': CLOCK,
  'AbortSignal.timeout': CLOCK,
  'Math.random': CHANCE,
  'crypto.randomUUID': CHANCE,
  'crypto.getRandomValues': CHANCE,
};
const GLOBALS: Readonly<Record<string, string>> = { setTimeout: CLOCK, setInterval: CLOCK };
/** What modules export of the same kind; `*` stands for everything. */
const EXPORTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'node:crypto': {
    randomUUID: CHANCE,
    randomBytes: CHANCE,
    randomInt: CHANCE,
    randomFill: CHANCE,
    randomFillSync: CHANCE,
    getRandomValues: CHANCE,
    webcrypto: CHANCE,
    '*': CHANCE,
  },
  'node:timers': { setTimeout: CLOCK, setInterval: CLOCK, '*': CLOCK },
  'node:timers/promises': { setTimeout: CLOCK, setInterval: CLOCK, scheduler: CLOCK, '*': CLOCK },
  'node:perf_hooks': { performance: CLOCK, '*': CLOCK },
};

const nameOf = (node: unknown): string | undefined => {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier' && typeof node.name === 'string') return node.name;
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
};

/** `Date.now` of `Date.now()`, `globalThis.Date.now` and `Date['now']`; undefined for what is no member access. */
function memberOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const { object, property, computed } = node;
  const name = computed && isNode(property) && property.type === 'Identifier' ? undefined : nameOf(property);
  const owner = isNode(object) && object.type === 'MemberExpression' ? nameOf(object.property) : nameOf(object);
  return owner === undefined || name === undefined ? undefined : `${owner}.${name}`;
}

/** A name that stands for a value here: not a property, not a key, not a type. */
function isReference(node: Node, around: readonly Node[]): boolean {
  const parent = around.at(-1);
  if (node.type !== 'Identifier' || !parent) return false;
  if (parent.type === 'MemberExpression') return parent.object === node || parent.computed === true;
  if (parent.type === 'Property') return parent.value === node;
  return !/^(ImportSpecifier|ExportSpecifier|PropertyDefinition|MethodDefinition|TS\w+)$/.test(parent.type);
}

function isBareDate(node: Node): boolean {
  const { type, callee } = node;
  if (type === 'CallExpression') return nameOf(callee) === 'Date';
  return (
    type === 'NewExpression' &&
    nameOf(callee) === 'Date' &&
    Array.isArray(node.arguments) &&
    node.arguments.length === 0
  );
}

/** The value of a key that the record itself has. */
const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const timeRule = fileRule('time and randomness only through runtime', outsideRuntime, (source, found) => {
  const check = (line: number, what: string, instead: string | undefined) => {
    if (instead !== undefined) found(line, what, instead);
  };
  source.walk((node, around) => {
    const line = source.lineOf(node.start);
    const member = memberOf(node) ?? '';
    check(line, member, own(MEMBERS, member));
    const name = isReference(node, around) ? (nameOf(node) ?? '') : '';
    check(line, name, own(GLOBALS, name));
    check(line, 'the current date', isBareDate(node) ? CLOCK : undefined);
  });
  for (const { specifier, names, line, typeOnly } of source.imports) {
    const banned = typeOnly ? {} : (own(EXPORTS, specifier) ?? {});
    for (const name of names) check(line, `${name} of ${specifier}`, own(banned, name));
  }
});

const environmentRule = fileRule('process.env only in config', outsideConfig, (source, found) => {
  const instead = 'read it in src/config and pass it on';
  source.walk(node => {
    if (memberOf(node) === 'process.env') found(source.lineOf(node.start), 'process.env', instead);
    if (
      node.type === 'VariableDeclarator' &&
      nameOf(node.init) === 'process' &&
      source.text.slice(node.start, node.end).match(/\benv\b/)
    ) {
      found(source.lineOf(node.start), 'env taken from process', instead);
    }
  });
  for (const { specifier, names, line } of source.imports) {
    if (specifier === 'node:process' && names.includes('env')) found(line, 'env of node:process', instead);
  }
});

const typesRule = fileRule('nothing unproved', isTypeScript, (source, found) => {
  source.walk(node => {
    const line = source.lineOf(node.start);
    if (node.type === 'TSAnyKeyword') found(line, 'any', 'use unknown and prove what it is');
    if (node.type === 'TSNonNullExpression')
      found(line, 'a non-null assertion', 'handle the case that it is not there');
  });
  for (const { text, line } of source.comments) {
    if (/^\s*@ts-/.test(text)) found(line, text.trim(), 'mend what the compiler complains about');
  }
});

const calleeText = (callee: unknown): string => {
  if (!isNode(callee)) return '';
  return memberOf(callee) ?? nameOf(callee) ?? calleeText(callee.callee);
};

const isDescribe = ({ type, callee }: Node): boolean =>
  type === 'CallExpression' && /^describe\b/.test(calleeText(callee));

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Functions that only hold test cases, as many as there are: the callback of a `describe`, and what is around one. */
function suitesOf(source: Source): ReadonlySet<Node> {
  const suites = new Set<Node>();
  source.walk((node, around) => {
    if (!isDescribe(node)) return;
    for (const outer of around) suites.add(outer);
    if (Array.isArray(node.arguments)) for (const argument of node.arguments) suites.add(argument);
  });
  return suites;
}

const functionsRule = fileRule('short functions', isTypeScript, (source, found) => {
  const suites = suitesOf(source);
  source.walk(node => {
    if (!FUNCTIONS.has(node.type) || suites.has(node)) return;
    const first = source.lineOf(node.start);
    const lines = source.lineOf(node.end) - first + 1;
    if (lines >= FUNCTION_LINES) {
      found(first, `a function of ${lines} lines`, `split it: under ${FUNCTION_LINES}, most under 20`);
    }
  });
});

const filesRule = fileRule(
  'short files',
  () => true,
  ({ text }, found) => {
    const lines = text.trimEnd().split('\n').length;
    if (lines >= FILE_LINES) found(1, `${lines} lines`, `split it by topic: under ${FILE_LINES}`);
  },
);

const openingRule = fileRule(
  'every file says what it is for',
  () => true,
  ({ path, text }, found) => {
    const opening = path.endsWith('.lua') ? /^(#!.*\n)?--/ : /^(#!.*\n)?(\/\*\*|\/\/)/;
    if (!opening.test(text)) found(1, 'no comment at the top', 'open with two or three sentences on its job');
  },
);

export const CODE_RULES: readonly Rule[] = [
  timeRule,
  environmentRule,
  typesRule,
  functionsRule,
  filesRule,
  openingRule,
];

/** A file that is not TypeScript, for the rules that look at text alone. */
export const textSource = (path: string, text: string): Source => ({
  path,
  text,
  body: [],
  imports: [],
  comments: [],
  lineOf: () => 1,
  walk: () => {},
});
