import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeState, run, search, startUp, temporaryState, until } from '../harness/up.ts';

/** A door that opens while Holdfast watches: a line, an alert, and who has used it. */
const skip = process.getuid?.() === 0 ? false : 'whose sockets are whose takes root';

test(
  'a new door is a line with what came with it, an alert, and a door whose users are noted',
  { skip },
  async (t) => {
    const state = temporaryState();
    const up = await startUp(state, []);
    const server = createServer();
    t.after(async () => {
      server.close();
      await up.interrupt();
      removeState(state);
    });
    await until('the doors of before are in the log', () => {
      const { hits } = search(state, 'app:holdfast kind=fact name="listeners could-not-look"');
      return hits.length > 0;
    });
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const opened = () => search(state, `app:holdfast kind=door event=opened port=${port}`).hits;
    await until('the new door is in the log', () => opened().length > 0);
    const line = JSON.parse(Buffer.from(opened()[0]?.raw ?? '', 'base64').toString());
    assert.equal(line.door, `tcp 0.0.0.0:${port}`);
    assert.equal(line.program.pid, process.pid);
    assert.equal(line.program.exe, process.execPath);
    assert.match(line.message, /^a new door: tcp 0\.0\.0\.0:\d+, opened by .*, reachable from /);
    await until('the alert has fired', () => {
      const { hits } = search(state, 'app:holdfast kind=alert rule=new-door');
      return hits.some(({ message, raw }) =>
        `${message}${Buffer.from(raw, 'base64').toString()}`.includes(`:${port}`),
      );
    });
    const noted = join(state.run, 'uses.json');
    await until('who uses doors is noted', () => existsSync(noted));
    const { uses } = JSON.parse(readFileSync(noted, 'utf8'));
    assert.ok(Array.isArray(uses));
    const { stdout } = run('services', 'users', String(port), '--for', '0', '--state', state.root);
    assert.match(stdout, /^watched for \d+ s, every 5 s, since /m);
    server.close();
    await until('that it is shut is in the log', () => {
      const { hits } = search(state, `app:holdfast kind=door event=closed port=${port}`);
      return hits.length > 0;
    });
  },
);
