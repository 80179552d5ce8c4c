import { micros, type Micros } from '#base/clock';
import { facilityNames, facilityNumber, severityNumber } from '#index';
import { parseLineAddress } from '#vault/record';
import { badQuery } from '../errors.ts';
import { senderFields, type Expression, type Query } from './expression.ts';
import { tokenize, type Token, type Value } from './tokens.ts';
import { parseWhen } from './when.ts';
import { hasWildcard, nameMatcher } from './wildcard.ts';

/**
 *     query   = [ or ]
 *     or      = and *( "OR" and )
 *     and     = not *( [ "AND" ] not )
 *     not     = [ "NOT" / "-" ] not / "(" or ")" / term
 *     term    = word / "phrase" / /regex/[i] / field:value / name=value
 *
 * A word or phrase is text that the message contains, or the name of the app or host; letter case does not count. Fields
 * are host, app, source, via, listener (with `*`), severity (`err`, `<=err`, `>=warning`), facility, pid, address, and
 * since and until, which hold for the whole query. `name=value` asks for an extracted field.
 * @throws SearchError `bad-query`
 */
export const parseQuery = (text: string, now: Micros): Query => {
  const parser = new Parser(tokenize(text), text.length, now);
  return parser.query();
};

const fieldNames = [...senderFields, 'severity', 'facility', 'pid', 'address', 'since', 'until'];

const deepest = 50;
const mostTerms = 200;

class Parser {
  private readonly tokens: Token[];
  private readonly length: number;
  private readonly now: Micros;
  private at = 0;
  private since: Micros | null = null;
  private until: Micros | null = null;
  /** How many ORs and NOTs stand around the token in hand. */
  private conditional = 0;
  private depth = 0;

  constructor(tokens: Token[], length: number, now: Micros) {
    this.tokens = tokens;
    this.length = length;
    this.now = now;
  }

  query(): Query {
    if (this.tokens.length === 0) return { expression: { kind: 'all' }, since: null, until: null };
    const excess = this.tokens[mostTerms];
    if (excess !== undefined)
      throw badQuery(`more than ${mostTerms} words`, excess.column, 'use a /regex/, or fewer words');
    const expression = this.or();
    const rest = this.tokens[this.at];
    if (rest !== undefined)
      throw badQuery('this ) closes nothing', rest.column, 'leave it out, or quote it: ")"');
    return { expression, since: this.since, until: this.until };
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
    for (;;) {
      const next = this.tokens[this.at];
      if (next === undefined || next.kind === 'or' || next.kind === 'close') break;
      if (next.kind === 'and') this.at += 1;
      of.push(this.not());
    }
    return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'and', of };
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
        return { kind: 'text', value: token.value };
      case 'regex':
        return { kind: 'regex', source: token.source, column: token.column };
      case 'named':
        return { kind: 'named', name: token.name, value: token.value };
      case 'field':
        return this.field(token.name, token.value, token.column);
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
    const field = name.toLowerCase();
    const sender = senderFields.find((known) => known === field);
    if (sender !== undefined) return { kind: 'sender', field: sender, value };
    switch (field) {
      case 'severity':
        return { kind: 'severity', numbers: severities(value) };
      case 'facility':
        return { kind: 'facility', numbers: facilities(value) };
      case 'pid':
        if (!/^\d{1,10}$/.test(value.text) || Number(value.text) > 0xffff_ffff)
          throw badQuery('a pid is a number', value.column, 'e.g. pid:812');
        return { kind: 'pid', pid: Number(value.text) };
      case 'address':
        return address(value);
      case 'since':
      case 'until':
        return this.bound(field, value, column);
      default:
        throw badQuery(`there is no field "${name}"`, column, suggestField(name, value));
    }
  }

  private bound(field: 'since' | 'until', value: Value, column: number): Expression {
    if (this.conditional > 0) {
      throw badQuery(
        `${field}: holds for the whole query and cannot stand under OR or NOT`,
        column,
        'put parentheses around the rest: since:1h (a OR b)',
      );
    }
    const time = parseWhen(field, value, this.now);
    if (field === 'since') this.since = this.since === null ? time : micros(Math.max(this.since, time));
    else this.until = this.until === null ? time : micros(Math.min(this.until, time));
    return { kind: 'all' };
  }
}

const severities = (value: Value): number[] => {
  const match = /^(<=|>=|<|>|=)?(.*)$/.exec(value.text);
  const number = severityNumber(match?.[2] ?? '');
  if (number === null) {
    throw badQuery(
      `"${value.text}" is no severity`,
      value.column,
      'emerg, alert, crit, err, warning, notice, info or debug; <=err asks for err and worse',
    );
  }
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  switch (match?.[1]) {
    case '<=':
      return all.filter((severity) => severity <= number);
    case '<':
      return all.filter((severity) => severity < number);
    case '>=':
      return all.filter((severity) => severity >= number);
    case '>':
      return all.filter((severity) => severity > number);
    default:
      return [number];
  }
};

const facilities = (value: Value): number[] => {
  const exact = facilityNumber(value.text);
  if (exact !== null) return [exact];
  const matches = nameMatcher(value);
  const numbers = facilityNames.flatMap((name, number) => (matches(name) ? [number] : []));
  if (numbers.length > 0 || hasWildcard(value)) return numbers;
  throw badQuery(`"${value.text}" is no facility`, value.column, `one of ${facilityNames.join(', ')}`);
};

const address = (value: Value): Expression => {
  const parsed = parseLineAddress(value.text);
  if (parsed === null)
    throw badQuery(
      `"${value.text}" is no address`,
      value.column,
      'an address is entry:line, as hits show it, e.g. address:12:3',
    );
  return { kind: 'address', entry: parsed.entry, line: parsed.line, part: parsed.part };
};

/** A near name if there is one, and how to search for the text as it stands. */
const suggestField = (name: string, value: Value): string => {
  const near = fieldNames.find((known) => distance(known, name.toLowerCase()) <= 2);
  const asText = `to search for this text, quote it: "${name}:${value.text}"`;
  return near === undefined
    ? `${asText}; fields are ${fieldNames.join(', ')}`
    : `did you mean ${near}:${value.text}? ${asText}`;
};

/** Levenshtein's edit distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};
