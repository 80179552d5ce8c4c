import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { badQuery } from '../errors.ts';
import type { Around, Expression, Query } from './expression.ts';
import { fieldNamed, nearestField } from './field-names.ts';
import { fieldExpression, parseAround, unknownField } from './field.ts';
import { pairExpression } from './pair.ts';
import { asksWhenReceived, receivedExpression } from './received.ts';
import { tokenize, type Token, type Value } from './tokens.ts';
import { expandSaved, type SavedQueries } from './saved-names.ts';
import { parseWhen } from './when.ts';

export { asksWhenReceived, fieldNamed };

/**
 *     query   = [ or ]
 *     or      = and *( "OR" and )
 *     and     = not *( [ "AND" ] not )
 *     not     = [ "NOT" / "-" ] not / "(" or ")" / term
 *     term    = word / "phrase" / 'phrase' / /regex/[i] / field:value / field:( or ) / name=value / name>=number
 *             / @NAME
 *
 * A word or phrase is text that the message contains, or the name of the app or host; letter case does not count. Fields
 * are host, app, source, via, listener (with `*`, `a,b`; addresses also as 10.0.0.0/8), message, severity (`err`,
 * `<=err`, `>=warning`), facility, pid, address, received, and since, until and around, which hold for the whole query.
 * `@NAME` is the saved search of that name, as if it stood there in parentheses.
 * docs/search.md has all of it, with examples that a test runs.
 * @param saved the saved searches; `unknown` where nobody can say what there are: then any name will do
 * @throws SearchError `bad-query`
 */
export const parseQuery = (text: string, now: Micros, saved: SavedQueries | 'unknown' = new Map()): Query => {
  const tokens = tokenize(text);
  const expanded = saved === 'unknown' ? tokens.map(anything) : expandSaved(tokens, saved, mostTerms);
  return new Parser(expanded, text.length, now).query();
};

/** What stands for a saved search that nobody can look up: it is of the right form. */
const anything = (token: Token): Token =>
  token.kind === 'saved'
    ? { kind: 'text', value: { text: token.name, quoted: true, column: token.column }, column: token.column }
    : token;

const deepest = 50;
const mostTerms = 200;

class Parser {
  private readonly tokens: Token[];
  private readonly length: number;
  private readonly now: Micros;
  private at = 0;
  private since: Micros | null = null;
  private until: Micros | null = null;
  private around: Around | null = null;
  /** The field whose parentheses stand around the token in hand: `host:(a OR b)`. */
  private each: { name: string; column: number } | null = null;
  /** How many ORs and NOTs stand around the token in hand. */
  private conditional = 0;
  private depth = 0;

  constructor(tokens: Token[], length: number, now: Micros) {
    this.tokens = tokens;
    this.length = length;
    this.now = now;
  }

  query(): Query {
    if (this.tokens.length === 0)
      return { expression: { kind: 'all' }, since: null, until: null, around: null };
    const excess = this.tokens[mostTerms];
    if (excess !== undefined)
      throw badQuery(`more than ${mostTerms} words`, excess.column, 'use a /regex/, or fewer words');
    const expression = this.or();
    const rest = this.tokens[this.at];
    if (rest !== undefined)
      throw badQuery('this ) closes nothing', rest.column, 'leave it out, or quote it: ")"');
    return { expression, since: this.since, until: this.until, around: this.around };
  }

  private or(): Expression {
    const alternatives = this.hasOrAhead();
    if (alternatives) this.conditional += 1;
    const of = [this.and()];
    while (this.take('or')) of.push(this.and());
    if (alternatives) this.conditional -= 1;
    return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'or', of };
  }

  /** Whether an OR stands in the group in hand: a time bound inside it would hold for one alternative only. */
  private hasOrAhead(): boolean {
    let depth = 0;
    for (const token of this.tokens.slice(this.at)) {
      if (token.kind === 'open') depth += 1;
      if (token.kind === 'close') depth -= 1;
      if (depth < 0) return false;
      if (depth === 0 && token.kind === 'or') return true;
    }
    return false;
  }

  private and(): Expression {
    const of = [this.not()];
    let either = this.each !== null && fieldNamed(this.each.name) !== 'message';
    for (;;) {
      const next = this.tokens[this.at];
      if (next === undefined || next.kind === 'or' || next.kind === 'close') break;
      if (next.kind === 'and') {
        this.at += 1;
        either = false;
      }
      of.push(this.not());
    }
    if (of.length === 1 && of[0] !== undefined) return of[0];
    return either ? eitherOf(of) : { kind: 'and', of };
  }

  private not(): Expression {
    if (!this.take('not')) return this.operand();
    this.conditional += 1;
    const of = this.deeper(() => this.not());
    this.conditional -= 1;
    return { kind: 'not', of };
  }

  private operand(): Expression {
    const token = this.tokens[this.at];
    if (token === undefined)
      throw badQuery(
        'the query ends where a word was due',
        this.length,
        'quote AND, OR and NOT to search for them: "OR"',
      );
    this.at += 1;
    switch (token.kind) {
      case 'open':
        return this.group(token.column);
      case 'text':
        return this.each === null
          ? { kind: 'text', value: token.value, where: 'anywhere' }
          : this.field(this.each.name, token.value, this.each.column);
      case 'each':
        return this.eachOf(token);
      case 'regex':
      case 'named':
      case 'field':
        return this.whole(token);
      case 'saved':
      case 'close':
        throw badQuery(
          'a word was due before this )',
          token.column,
          'leave out the empty parentheses, or quote them: "()"',
        );
      case 'and':
      case 'or':
      case 'not':
        throw badQuery(
          `a word was due before this ${token.kind.toUpperCase()}`,
          token.column,
          `quote it to search for it: "${token.kind.toUpperCase()}"`,
        );
    }
  }

  private whole(token: Extract<Token, { kind: 'regex' | 'named' | 'field' }>): Expression {
    if (this.each !== null)
      throw badQuery(
        `only values can stand in the parentheses of ${this.each.name}:`,
        token.column,
        `write ${this.each.name}:(a OR b), or quote what is meant as a value`,
      );
    if (token.kind === 'regex') return token;
    if (token.kind === 'field') return this.field(token.name, token.value, token.column);
    return fieldNamed(token.name) === 'received'
      ? receivedExpression(token.operator, token.value, this.now)
      : pairExpression(token);
  }

  /** `field:(…)` */
  private eachOf(token: { name: string; column: number }): Expression {
    if (this.each !== null) throw badQuery('a field within the parentheses of a field', token.column);
    this.each = token;
    this.at += 1;
    const expression = this.group(token.column + token.name.length + 1);
    this.each = null;
    return expression;
  }

  private group(column: number): Expression {
    const expression = this.deeper(() => this.or());
    if (!this.take('close')) throw badQuery('this ( is not closed', column, 'add a ) or quote it: "("');
    return expression;
  }

  /** Bounds the recursion, here and in the engine. */
  private deeper(parse: () => Expression): Expression {
    if (this.depth >= deepest)
      throw badQuery(
        `more than ${deepest} levels of parentheses and NOTs`,
        this.tokens[this.at - 1]?.column ?? 0,
      );
    this.depth += 1;
    const expression = parse();
    this.depth -= 1;
    return expression;
  }

  private take(kind: Token['kind']): boolean {
    if (this.tokens[this.at]?.kind !== kind) return false;
    this.at += 1;
    return true;
  }

  private field(name: string, value: Value, column: number): Expression {
    const field = fieldNamed(name);
    if (field === 'since' || field === 'until' || field === 'around') return this.bound(field, value, column);
    if (field === 'received') return receivedExpression(':', value, this.now);
    if (field !== null) return fieldExpression(field, value);
    // A host and its port
    if (/^\d{1,5}$/.test(value.text) && !value.quoted && nearestField(name) === null)
      return { kind: 'text', value: { ...value, text: `${name}:${value.text}`, column }, where: 'anywhere' };
    throw unknownField(name, value, column);
  }

  /** What holds for the whole query. */
  private bound(field: 'since' | 'until' | 'around', value: Value, column: number): Expression {
    if (this.conditional > 0) {
      throw badQuery(
        `${field}: holds for the whole query and cannot stand under OR or NOT`,
        column,
        `put parentheses around the rest: ${field}:${value.quoted ? `"${value.text}"` : value.text} (a OR b)`,
      );
    }
    if (field === 'around') {
      if (this.around !== null) throw badQuery('around: can stand once', column, 'leave one out');
      this.around = parseAround(value);
      return { kind: 'all' };
    }
    const time = parseWhen(field, value, this.now);
    if (field === 'since') this.since = this.since === null ? time : micros(Math.max(this.since, time));
    else this.until = this.until === null ? time : micros(Math.min(this.until, time));
    if (this.since !== null && this.until !== null && this.since >= this.until)
      throw badQuery(
        'no time is between since: and until:',
        column,
        `they mean ${formatMicros(this.since)} and ${formatMicros(this.until)}`,
      );
    return { kind: 'all' };
  }
}

/** Values side by side: any of them, and none of those that are left out. */
const eitherOf = (of: Expression[]): Expression => {
  const without = of.filter(({ kind }) => kind === 'not');
  const wanted = of.filter(({ kind }) => kind !== 'not');
  if (wanted.length === 0) return { kind: 'and', of };
  const either: Expression =
    wanted.length === 1 && wanted[0] !== undefined ? wanted[0] : { kind: 'or', of: wanted };
  return without.length === 0 ? either : { kind: 'and', of: [either, ...without] };
};
