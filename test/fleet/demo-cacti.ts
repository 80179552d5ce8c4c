import { act, faultsOf, startCactiHosts } from './cacti.ts';
import { story } from './cacti-story.ts';
import { noFleet } from './able.ts';
import { startFleet } from './host.ts';

/** `npm run demo:cacti`: the whole story on two hosts of its own, printed as it happens. cacti.test.ts asserts it. */
const width = 80;

const clipped = (line: string): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);

const folded = (text: string): string => {
  let out = '';
  let used = 0;
  for (const word of text.split(' ')) {
    if (used + word.length > width) {
      out = `${out.trimEnd()}\n`;
      used = 0;
    }
    out += `${word} `;
    used += word.length + 1;
  }
  return out.trimEnd();
};

const reason = noFleet();
if (reason !== null) {
  process.stderr.write(`The demo starts two whole hosts, and cannot do so here: ${reason}\n`);
  process.exit(3);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const endings: (() => Promise<void>)[] = [];
let faults = 0;
try {
  say(
    folded(
      'Two hosts of Debian 12 in systemd-nspawn: cacti, with cacti and mariadb-server, and outside. The first time they are made takes a few minutes.',
    ),
  );
  const hosts = await startCactiHosts(await startFleet({ after: (end) => void endings.push(end) }));
  for (const [number, chapter] of story.entries()) {
    say(`\n${'─'.repeat(width)}\n${number + 1}. ${chapter.title}\n\n${folded(chapter.why)}\n`);
    say(folded(`${chapter.at}# ${chapter.command}`));
    const outcome = await act(hosts, chapter);
    say(outcome.stdout.trimEnd().split('\n').map(clipped).join('\n'));
    for (const fault of faultsOf(chapter, outcome)) {
      faults += 1;
      say(`NOT AS IT MUST BE: ${fault}`);
    }
  }
  say(
    `\n${'─'.repeat(width)}\n${faults === 0 ? 'All of it as it must be.' : `${faults} things are not as they must be.`}`,
  );
} finally {
  for (const end of endings.toReversed()) await end();
}
process.exitCode = faults === 0 ? 0 : 1;
