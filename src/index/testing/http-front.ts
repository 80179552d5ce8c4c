import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { quote } from '../engine/incoming-file.ts';

/**
 * The embedded engine behind ClickHouse's HTTP interface, as far as our client uses it: for tests of what goes over the
 * wire. It is no server and no cluster: it has no users, no replicas and no distributed tables, and takes rows through a
 * file. What only those show is not tested by it.
 */
export type HttpFront = {
  url: string;
  /** Does what the next insert asks, and then breaks the connection off in place of an answer. */
  loseNextAnswer(): void;
  /** Answers nobody any more until it is called again. */
  setAway(isAway: 'away' | 'back'): void;
  /** Each request's path and query, to see what stands in them. */
  readonly asked: readonly string[];
  close(): Promise<void>;
};

export const openHttpFront = async ({ password }: { password: string }): Promise<HttpFront> => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-http-'));
  const path = join(root, 'engine');
  // Stays open, so that the connections of the requests come and go on the same engine.
  const holder = new Session(path);
  const asked: string[] = [];
  let lose = false;
  let away = false;
  let files = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const execute = async (url: URL, body: Buffer): Promise<Buffer> => {
    const session = new Session(path);
    try {
      const database = url.searchParams.get('database') ?? 'default';
      await session.queryAsync(`USE ${database}`);
      for (const statement of settingsOf(url)) await session.queryAsync(statement);
      const given = url.searchParams.get('query');
      if (given === null) return Buffer.from((await session.queryAsync(body.toString('utf8'))).bytes());
      const file = join(root, `rows-${(files += 1)}`);
      writeFileSync(file, body);
      await session.queryAsync(await throughFile(session, given, file));
      return Buffer.alloc(0);
    } finally {
      session.close();
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://front');
    asked.push(request.url ?? '');
    const body = Buffer.concat(await request.toArray());
    if (away) {
      request.socket.destroy();
      return;
    }
    const credentials = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64').toString(
      'utf8',
    );
    if (credentials !== `default:${password}`)
      return refuse(
        response,
        'Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)',
      );
    const mine = turn.then(() => execute(url, body));
    turn = mine.catch(() => undefined);
    try {
      const bytes = await mine;
      if (lose && url.searchParams.has('query')) {
        lose = false;
        request.socket.destroy();
        return;
      }
      response.end(bytes);
    } catch (error) {
      refuse(response, error instanceof Error ? error.message : String(error));
    }
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    loseNextAnswer() {
      lose = true;
    },
    setAway(state) {
      away = state === 'away';
    },
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await turn;
      holder.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
};

const refuse = (response: ServerResponse, message: string): void => {
  const code = /^Code: (\d+)/.exec(message)?.[1] ?? '1000';
  response.writeHead(500, { 'x-clickhouse-exception-code': code });
  response.end(message);
};

/** Of HTTP alone. */
const notSettings = new Set(['query', 'database', 'query_id', 'session_id', 'role', 'wait_end_of_query']);

/** `readonly` last: after it none can be changed. */
const settingsOf = (url: URL): string[] => {
  const all = [...url.searchParams].filter(([name]) => !notSettings.has(name));
  const last = all.filter(([name]) => name === 'readonly');
  return [...all.filter(([name]) => name !== 'readonly'), ...last].map(
    ([name, value]) => `SET ${name} = ${quote(value)}`,
  );
};

const throughFile = async (session: Session, insert: string, file: string): Promise<string> => {
  const [, into = '', table = '', names = '', format = ''] =
    /^(INSERT INTO (\S+) \(([^)]*)\)) FORMAT (\w+)$/.exec(insert) ?? [];
  const described = await session.queryAsync(`DESCRIBE TABLE ${table} FORMAT TSV`);
  const types = new Map(
    Buffer.from(described.bytes())
      .toString('utf8')
      .split('\n')
      .map((row): [string, string] => {
        const [name = '', type = ''] = row.split('\t');
        return [name, type.replaceAll("\\'", "'")];
      }),
  );
  const structure = names
    .split(', ')
    .map((name) => `${name} ${types.get(name)}`)
    .join(', ');
  return `${into} SELECT * FROM file(${quote(file)}, ${format}, ${quote(structure)})`;
};
