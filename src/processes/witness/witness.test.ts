import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openCosignature, openCosigned } from '#vault/checkpoint';
import { newTestLog, startTestPublisher, temporaryDirectory } from '../../witness/testing/test-log.ts';
import { init, post, run, start } from './testing/started.ts';

describe('holdfast witness', () => {
  it('is made once, serves, remembers over kill -9, and shows what it remembers', async (t) => {
    const log = newTestLog();
    const { state, file, vkey, memory } = init(t, log);
    assert.equal(statSync(join(state, 'witness/witness.key')).mode & 0o777, 0o600);
    const again = run('--init', '--state', state, '--log', file);
    assert.equal(again.status, 0, again.stderr);
    assert.ok(again.stdout.startsWith(`witness.example/w1+${vkey.keyId.toString('hex')}+`));
    assert.match(run('show', '--state', state).stdout, /nothing was cosigned yet/);

    const first = await start(t, '--state', state, '--log', log.vkeyText, '--listen', '127.0.0.1:0');
    const cosigned = await post(first.url(), log.submission(0, 5));
    assert.equal(cosigned.status, 200);
    assert.equal((await post(first.url(), log.submission(0, 9))).status, 409);
    const second = run('--state', state, '--log', file, '--listen', '127.0.0.1:0');
    assert.equal(second.status, 3, second.stderr);
    assert.match(second.stderr, /another process is the witness/);
    first.process.kill('SIGKILL');
    await once(first.process, 'close');

    const note = readFileSync(memory);
    assert.equal(openCosigned(note, log.vkey).size, 5);
    assert.ok(Math.abs(openCosignature(note, vkey) - Date.now() / 1000) < 60);
    const shown = JSON.parse(run('show', '--json', '--state', state).stdout);
    assert.deepEqual(
      [shown.logs[0].origin, shown.logs[0].size, shown.logs[0].root, shown.logs[0].note],
      [log.origin, 5, log.root(5).toString('base64'), memory],
    );
    const third = await start(t, '--state', state, '--log', file, '--listen', '127.0.0.1:0');
    assert.match(third.output(), /size 5/);
    assert.equal((await post(third.url(), log.submission(0, 9))).status, 409);
    assert.equal((await post(third.url(), log.submission(5, 9))).status, 200);
    third.process.kill('SIGINT');
    assert.deepEqual(await once(third.process, 'close'), [0, null]);
  });

  it('asks a publisher, alarms at a rollback until it is undone, and at a fork until it is told to go on', async (t) => {
    const log = newTestLog();
    const { state, memory } = init(t, log);
    const publisher = await startTestPublisher(t, log);
    publisher.show(log, 20);
    const args = ['--state', state, '--log', `${log.vkeyText}=${publisher.url}`, '--every', '0.1'];
    const until = async (what: () => boolean): Promise<void> => {
      for (let waited = 0; !what(); waited += 20) {
        assert.ok(waited < 60_000, running.output());
        await wait(20);
      }
    };
    const running = await start(t, ...args);
    await until(() => publisher.given.some(({ path }) => path === '/cosignature'));
    publisher.show(log, 12);
    await until(() => /ALARM: .* shows size 12, and 20 was cosigned already/.test(running.output()));
    assert.equal(publisher.given.at(-1)?.path, '/contradiction');
    assert.equal(publisher.given.at(-1)?.note.toString(), readFileSync(memory, 'utf8'));
    publisher.show(log, 30);
    await until(() => /cosigning goes on/.test(running.output()));
    publisher.show(log.branch(3), 30);
    await until(() => /ALARM: .*two roots at size 30/.test(running.output()));
    running.process.kill('SIGTERM');
    await once(running.process, 'close');
    const shown = run('show', '--state', state);
    assert.equal(shown.status, 1);
    assert.match(shown.stdout, /STOPPED: /);
    assert.equal(run('--resume', 'other', '--state', state).status, 3);
    assert.equal(run('--resume', log.origin, '--state', state).status, 0);
    assert.equal(run('show', '--state', state).status, 0);
  });

  it('makes nothing that was not asked for, and says what is wrong with a command line', (t) => {
    const log = newTestLog();
    const state = temporaryDirectory(t);
    const served = ['--state', state, '--listen', '127.0.0.1:0'];
    assert.match(run(...served, '--log', log.vkeyText).stderr, /there is no witness/);
    assert.equal(existsSync(join(state, 'witness')), false);
    assert.match(run('--init', '--state', state, '--log', log.vkeyText).stderr, /--name/);
    assert.equal(existsSync(join(state, 'witness')), false);
    assert.equal(run('--init', '--state', state, '--name', 'w').status, 0);
    assert.match(run(...served, '--log', log.vkeyText).stderr, /nothing is remembered of/);
    for (const bad of [
      [...served],
      [...served, '--log', 'nonsense'],
      [...served, '--log', `${log.vkeyText}=ftp://x`],
      ['--state', state, '--log', log.vkeyText],
      ['--state', state, '--log', log.vkeyText, '--listen', 'nowhere'],
      [...served, '--log', log.vkeyText, '--every', 'x'],
      ['shwo', '--state', state],
    ])
      assert.equal(run(...bad).status, 2, bad.join(' '));
  });
});
