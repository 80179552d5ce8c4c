import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from './errors.ts';
import { Exit } from './exit.ts';
import { commands } from './index.ts';
import { jsonLine } from './json-line.ts';
import { runProgram } from './program.ts';
import { testIo } from './test-io.ts';

test('an unknown verb is named, with those that there are', async () => {
  const io = testIo();
  assert.equal(await runProgram(['services', 'foo'], commands, io, '0'), Exit.usage);
  assert.equal(io.written.err, "holdfast: unknown command 'foo'; there are: list, users\n");
  const logs = testIo();
  assert.equal(await runProgram(['logs', 'serch', 'x', '--json'], commands, logs, '0'), Exit.usage);
  assert.match(logs.written.err, /unknown command 'serch'; there are: search, .*tail, sources/);
  const option = testIo();
  assert.equal(await runProgram(['logs', '--jsn'], commands, option, '0'), Exit.usage);
  assert.match(option.written.err, /unknown option '--jsn'/);
});

test('an argument too many is refused, and not left out', async () => {
  const io = testIo();
  assert.equal(await runProgram(['logs', 'browse', 'today', 'web1'], commands, io, '0'), Exit.usage);
  assert.match(io.written.err, /too many arguments for 'browse'/);
});

test('a noun alone shows its help, with examples', async () => {
  for (const noun of new Set(
    Object.keys(commands)
      .filter((name) => name.includes(' '))
      .map((name) => name.split(' ')[0] ?? ''),
  )) {
    const io = testIo();
    assert.equal(await runProgram([noun], commands, io, '0'), Exit.done);
    assert.match(io.written.out, new RegExp(`\nExamples:\n  holdfast ${noun} `), noun);
  }
});

test('what an error quotes cannot drive the terminal', async () => {
  const io = testIo();
  const failing = {
    name: 'audit',
    summary: '',
    examples: [],
    run: () => Promise.reject(new CliError('refused', 'line one\nquery \u001b[2J\u009b')),
  };
  assert.equal(await runProgram(['audit'], { audit: async () => failing }, io, '0'), Exit.couldNotLook);
  assert.equal(io.written.err, 'holdfast: line one\nquery \\x1b[2J\\x9b\n');
});

test('JSON on a terminal is text alone, and means the same', () => {
  const value = { name: '\u001b[2J\u009b2J\u202e\u007f', plain: 'ä€' };
  assert.doesNotMatch(jsonLine(value).trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  assert.deepEqual(JSON.parse(jsonLine(value)), value);
  assert.ok(jsonLine(value).includes('ä€'));
});
