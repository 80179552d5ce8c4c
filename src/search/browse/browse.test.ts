import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { branch, leafLine, leafNext, type Branch } from '#wire/browse';
import { answer as answerSchema, hit, type Answer } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';

describe('the log as a tree of files', () => {
  let served: ServedVault;
  const odd = Buffer.from('<13>1 2026-05-12T02:00:00Z web1 sshd 1 - - \x1b[31m\xff\x00', 'latin1');
  const big = Array.from({ length: 7 }, (_, i) =>
    Buffer.from(`<13>1 2026-05-13T00:00:0${i}Z big postfix/smtpd - - - ${i} ${'x'.repeat(1_000_000)}`),
  );

  before(async () => {
    served = await serveVault([
      { raw: odd },
      { raw: '<13>1 2026-05-12T01:00:00Z web1 sshd 1 - - earlier, and received later' },
      { raw: '<13>1 2026-05-12T23:59:59.999999Z web2 - - - - no program' },
      { raw: '<13>1 2026-05-13T00:00:00Z web2 a%b - - - odd name' },
      {
        raw: 'MESSAGE=two\\nlines\n_HOSTNAME=web3\nSYSLOG_IDENTIFIER=unit\n_SOURCE_REALTIME_TIMESTAMP=1778551200000000\n',
        listener: 'own',
        peer: 'agent',
        meta: '{"via":"journal","host":"web3"}',
      },
    ]);
    await served.add(big.map((raw) => ({ raw })));
  });
  after(() => served.remove());

  const ask = async (path: string, body: unknown): Promise<unknown[]> => {
    const response = await served.call('POST', path, body);
    const text = await bodyOf(response);
    assert.equal(response.statusCode, 200, text);
    return text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  };

  const browse = async (path: string): Promise<{ branches: Branch[]; answer: Answer['answer'] }> => {
    const lines = await ask('/browse', { path });
    const { answer } = answerSchema.parse(lines.at(-1));
    return { branches: lines.slice(0, -1).map((line) => branch.parse(line)), answer };
  };

  /** Page by page, until the page with the answer. */
  const leaf = async (
    path: string,
    onPage: () => Promise<unknown> = async () => undefined,
  ): Promise<{ bytes: Buffer[]; pages: number; answer: Answer['answer'] }> => {
    const bytes: Buffer[] = [];
    let cursor: string | null = null;
    for (let pages = 0; ; pages += 1) {
      const lines = await ask('/leaf', { path, cursor });
      const last = answerSchema.safeParse(lines.at(-1));
      if (last.success) return { bytes, pages, answer: last.data.answer };
      cursor = leafNext.parse(lines.at(-1)).next;
      for (const line of lines.slice(0, -1)) bytes.push(Buffer.from(leafLine.parse(line).bytes, 'base64'));
      await onPage();
    }
  };

  it('lists days by the time of the line, in UTC, then hosts, then programs', async () => {
    const days = await browse('');
    const named = days.branches.filter(({ day }) => day.startsWith('2026-05-1'));
    assert.deepEqual(
      named.map(({ path, lines }) => [path, lines]),
      [
        ['2026-05-12', 4],
        ['2026-05-13', 8],
      ],
    );
    assert.equal(days.answer.integrity.verdict, 'unaltered');
    const hosts = await browse('2026-05-12');
    assert.deepEqual(
      hosts.branches.map(({ path, host }) => [path, host]),
      [
        ['2026-05-12/web1', 'web1'],
        ['2026-05-12/web2', 'web2'],
        ['2026-05-12/web3', 'web3'],
      ],
    );
    assert.equal(hosts.answer.range.until, '2026-05-13T00:00:00.000000Z');
    assert.equal(hosts.answer.count, 4);
    const programs = await browse('2026-05-12/web1');
    assert.deepEqual(programs.branches, [
      {
        path: '2026-05-12/web1/sshd',
        day: '2026-05-12',
        host: 'web1',
        app: 'sshd',
        lines: 2,
        bytes:
          odd.length +
          Buffer.byteLength('<13>1 2026-05-12T01:00:00Z web1 sshd 1 - - earlier, and received later'),
        first: '2026-05-12T01:00:00.000000Z',
        last: '2026-05-12T02:00:00.000000Z',
      },
    ]);
  });

  it('gives the exact bytes of a file, in the order of time', async () => {
    const { bytes, answer } = await leaf('2026-05-12/web1/sshd');
    assert.deepEqual(bytes.map(String), [
      '<13>1 2026-05-12T01:00:00Z web1 sshd 1 - - earlier, and received later',
      String(odd),
    ]);
    assert.ok(bytes[1]?.equals(odd));
    assert.deepEqual([answer.count, answer.integrity.verdict], [2, 'unaltered']);
    assert.match(answer.integrity.detail, /the stored bytes of the 1 entry/);
  });

  it('finds what has no name, or an odd one, under the path that it lists', async () => {
    for (const [place, path] of [
      ['2026-05-12/web2', '2026-05-12/web2/-'],
      ['2026-05-13/web2', '2026-05-13/web2/a%25b'],
      ['2026-05-13/big', '2026-05-13/big/postfix/smtpd'],
    ] as const) {
      const { branches } = await browse(place);
      assert.deepEqual(
        branches.map((below) => below.path),
        [path],
      );
      assert.equal((await leaf(path)).answer.count, branches[0]?.lines);
    }
  });

  it('gives an entry of the journal as one line of text, and its bytes where they are asked for', async () => {
    const text = await leaf('2026-05-12/web3/unit');
    assert.deepEqual(text.bytes.map(String), ['2026-05-12T02:00:00.000000Z web3 unit: two\\nlines']);
    const [first] = await ask('/leaf', { path: '2026-05-12/web3/unit', form: 'raw' });
    assert.match(String(Buffer.from(leafLine.parse(first).bytes, 'base64')), /^MESSAGE=two/);
    const [asHit] = await ask('/leaf', { path: '2026-05-12/web3/unit', form: 'hits' });
    assert.equal(hit.parse(asHit).app, 'unit');
  });

  it('gives a large file in pages, without what comes meanwhile', async () => {
    let added = 0;
    const { bytes, pages, answer } = await leaf('2026-05-13/big/postfix/smtpd', async () => {
      if (added === 0) await served.add([{ raw: '<13>1 2026-05-13T00:00:09Z big postfix/smtpd - - - late' }]);
      added += 1;
    });
    assert.ok(pages > 1, `${pages} pages`);
    assert.equal(bytes.length, big.length);
    assert.ok(bytes.every((line, at) => line.equals(big[at] ?? Buffer.alloc(0))));
    assert.equal(answer.count, big.length);
    assert.equal((await leaf('2026-05-13/big/postfix/smtpd')).bytes.length, big.length + 1);
  });

  it('refuses a path that names no file, and a cursor that it never gave', async () => {
    for (const body of [{ path: '2026-05-12/web1' }, { path: '2026-05-12/web1/sshd', cursor: '1' }])
      assert.equal((await served.call('POST', '/leaf', body)).statusCode, 400);
  });
});
