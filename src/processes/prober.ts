import { text } from 'node:stream/consumers';
import { messageOf } from '#base/errors';
import { pacer, parseToken, ProbeError, probeHost, sendTokens, vantagesOf } from '#probe/host';
import { accounts } from './up/accounts.ts';
import { proberTask, type ProberWord } from './probe/words.ts';

/**
 * Looks at one host from outside: one JSON task on standard input, JSON lines on standard output (`probe/words.ts`).
 * Started by root, it gives up being root before it reads its task. It ends when its work is done or nobody listens.
 */
const { uid, gid } = accounts.prober;
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

const say = (word: ProberWord): void => void process.stdout.write(`${JSON.stringify(word)}\n`);
process.stdout.on('error', () => process.exit(1));

try {
  const task = proberTask.parse(JSON.parse(await text(process.stdin)));
  if ('token' in task) {
    await sendTokens(task.address, task.ports, { ...task, token: parseToken(task.token) }, pacer(task.rate));
    say({ sent: task.ports.length * task.times });
  } else {
    const vantages = await vantagesOf(task.host);
    say({ vantages });
    for (const vantage of vantages.vantages) say({ seen: await probeHost(vantage, task) });
  }
} catch (error) {
  if (!(error instanceof ProbeError)) throw error;
  say({ error: { code: error.code, message: messageOf(error) } });
}
