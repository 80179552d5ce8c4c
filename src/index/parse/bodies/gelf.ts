import type { ParseContext } from '../parsed.ts';
import type { JsonObject } from '../fields.ts';
import { objectPart, parseObject } from './document.ts';
import { undecoded, type Part } from './part.ts';
import { trimmed } from './text-lines.ts';

/**
 * One GELF message (https://go2docs.graylog.org/current/getting_in_log_data/gelf.html): `short_message` is the message,
 * additional fields lose their leading `_`, and `facility`, which once named the program, is the app where nothing else is.
 */
export function* gelfMessage(bytes: Buffer, context: ParseContext): Generator<Part> {
  const object = parseObject(trimmed(bytes));
  if (object === null) {
    yield undecoded('no JSON object', 'gelf message', bytes);
    return;
  }
  const plain: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    if (name === 'version') continue;
    const bare = name.startsWith('_') && !(name.slice(1) in object) ? name.slice(1) : name;
    // `__proto__` is a name like any other.
    Object.defineProperty(plain, bare, { value, enumerable: true, configurable: true, writable: true });
  }
  const { facility } = object;
  if (typeof facility === 'string' && !apps.some((name) => name in plain)) plain['app'] = facility;
  const part = objectPart(bytes, plain, context);
  if (typeof object['short_message'] === 'string' && typeof object['version'] === 'string')
    part.parsed.confidence = 100;
  yield part;
}

const apps = ['app', 'application', 'application_name', 'app_name', 'service', 'container_name', 'program'];
