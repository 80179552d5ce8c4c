import { IndexError, type Engine } from '#index';
import { SearchError } from '../errors.ts';
import { refusal } from '../refusal.ts';
import { loadFunctions, type IsAllowed } from './functions.ts';
import { mistakeIn } from './mistake.ts';
import { namesOf, notHere, type Name } from './names.ts';
import { parseTree, type Node } from './tree.ts';

/** @throws SearchError `bad-query` for SQL that asks for anything but the table `lines` */
export type SqlGuard = (sql: string) => Promise<void>;

/** Table functions that make rows of nothing but their arguments. */
const tableFunctions = new Set(['numbers', 'values', 'generateseries', 'generate_series']);

/** What a SELECT is made of, in the engine's own words. Anything else is refused. */
const parts = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'WithElement',
  'Subquery',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'TableIdentifier',
  'Identifier',
  'Literal',
  'Function',
  'Asterisk',
  'QualifiedAsterisk',
  'OrderByElement',
  'InterpolateElement',
  'WindowDefinition',
  'WindowListElement',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'ColumnsRegexpMatcher',
  'ColumnsListMatcher',
]);

/** Their second argument may be a table. */
const setFunction = /^(?:global)?(?:not)?(?:null)?in(?:ignoreset)?$/i;

/**
 * Lets pass one SELECT over `lines`, subqueries, names given by WITH, and rows made of arguments, with functions that
 * make values of values. What a text asks for is taken from the engine's own parser (EXPLAIN AST, which resolves and
 * runs nothing), so that there is no second reading of it; whatever is not known to be harmless is refused. The engine's
 * read-only mode, which the statement then runs in, refuses writes, but not what reads files or shows what others ask.
 */
export const openSqlGuard = (engine: Engine): SqlGuard => {
  let loading: Promise<IsAllowed> | null = null;
  return async (sql) => {
    const names = namesOf(sql);
    loading ??= loadFunctions(engine).catch((error: unknown) => {
      loading = null;
      throw error;
    });
    const isAllowed = await loading;
    const tables = new Set(['lines', 'default.lines', ...given(names)]);
    const refuse = (text: string): Error => notHere(text, columnOf(names, text));

    const check = (node: Node, parent: Node | null): void => {
      if (!parts.has(node.kind)) throw refuse(node.kind);
      if (node.kind === 'TableIdentifier' && !tables.has(node.name)) throw refuse(node.name);
      if (node.kind === 'SelectWithUnionQuery' && node.children.some(({ kind }) => kind !== 'ExpressionList'))
        throw refuse('INTO');
      if (node.kind === 'Function') {
        const isFine =
          parent?.kind === 'TableExpression'
            ? tableFunctions.has(node.name.toLowerCase())
            : isAllowed(node.name);
        if (!isFine) throw refuse(node.name);
        const set = setFunction.test(node.name) ? node.children[0]?.children[1] : undefined;
        if (set?.kind === 'Identifier' && !tables.has(set.name)) throw refuse(set.name);
      }
      for (const child of node.children) check(child, node);
    };
    check(parseTree(await explain(engine, sql)), null);
  };
};

/** The index's own: a name given by WITH in one place must not open them in another. */
const privateTables = new Set(['progress', 'remembered']);

/** Names that WITH gives to subqueries. They are no tables of other databases: those have a dot. */
const given = (names: readonly Name[]): string[] =>
  names.flatMap(({ text }, at) => {
    const as = names[at + 1];
    const isGiven = as?.text.toLowerCase() === 'as' && as.next === '(' && !privateTables.has(text);
    return isGiven && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? [text] : [];
  });

const columnOf = (names: readonly Name[], text: string): number => {
  const wanted = text.split('.').map((part) => part.toLowerCase());
  return names.find((name) => wanted.includes(name.text.toLowerCase()))?.column ?? 0;
};

const explained = 'EXPLAIN AST ';

const explain = async (engine: Engine, sql: string): Promise<string[]> => {
  try {
    return (await engine.binary('readonly', `${explained}${sql}`)).toString('utf8').trimEnd().split('\n');
  } catch (error) {
    if (!(error instanceof IndexError)) throw error;
    if (error.code === 'engine-away') throw refusal(error);
    if (error.code === 'engine-limit')
      throw new SearchError('too-expensive', error.message, { cause: error });
    throw mistakeIn(sql, error, explained.length);
  }
};
