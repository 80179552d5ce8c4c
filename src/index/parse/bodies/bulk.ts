import { isObject } from '../fields.ts';
import { fromText } from '../byte-string.ts';
import type { ParseContext } from '../parsed.ts';
import { documentPart, objectPart, parseObject } from './document.ts';
import { textPart, undecoded, type Part } from './part.ts';
import { textLines } from './text-lines.ts';

type Action = { name: string; index: string };

const actions = new Set(['index', 'create', 'update', 'delete']);

/**
 * Elasticsearch's bulk body: a line with an action, then its document, except after `delete`
 * (https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk). Each document is a line of log; of a
 * deletion there is the action. What is neither is a line of its own, so that nothing shifts out of step unseen.
 */
export function* bulkBody(bytes: Buffer, context: ParseContext): Generator<Part> {
  let action: Action | null = null;
  for (const line of textLines(bytes)) {
    if (action === null) {
      action = actionOf(line);
      if (action?.name === 'delete') {
        yield named(textPart(line), action);
        action = null;
      } else if (action === null) yield documentPart(line, context) ?? undecoded('no action', 'line', line);
      continue;
    }
    yield named(documentOf(line, action, context), action);
    action = null;
  }
}

const actionOf = (line: Buffer): Action | null => {
  const object = parseObject(line);
  if (object === null) return null;
  const [name = '', ...others] = Object.keys(object);
  const target = object[name];
  if (others.length > 0 || !actions.has(name) || !isObject(target)) return null;
  const index = target['_index'];
  return { name, index: typeof index === 'string' ? index : '' };
};

const documentOf = (line: Buffer, action: Action, context: ParseContext): Part => {
  if (action.name === 'update') {
    const object = parseObject(line);
    const document = object?.['doc'] ?? object?.['upsert'];
    if (isObject(document)) return objectPart(line, document, context);
  }
  return documentPart(line, context) ?? undecoded('no JSON object', 'document', line);
};

const named = (part: Part, action: Action): Part => {
  if (action.index !== '') part.parsed.fields.push('_index', fromText(action.index.slice(0, 255)));
  if (action.name === 'update' || action.name === 'delete') part.parsed.fields.push('_action', action.name);
  return part;
};
