import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runProgram } from '../program.ts';
import { testIo } from '../test-io.ts';
import { logsSearch } from './search.ts';

const said = async (...words: string[]): Promise<string> => {
  const io = testIo();
  await runProgram(
    ['logs', 'search', '--state', '/nonexistent', ...words],
    { 'logs search': async () => logsSearch },
    io,
    '0',
  );
  return io.written.err;
};

it('takes -word for a part of the query, and --word for a mistake', async () => {
  assert.match(await said('error', '-debug'), /nothing answers on/);
  assert.match(await said('error', '--debug'), /unknown option '--debug'.*'"--debug"'/);
});

it('says what does not go together', async () => {
  assert.match(await said('-nginx'), /--limit takes a whole number up to 100000, not 'ginx'; to leave out/);
  assert.match(await said('--newest', '--oldest'), /cannot both/);
  assert.match(await said('--count', '--raw'), /--raw is about lines/);
  assert.match(await said('--by', 'host,,app'), /one to five names/);
});
