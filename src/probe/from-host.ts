import { answerOf, type Answer, type Target } from './answer.ts';
import { run } from './run.ts';

/** Needs nothing but bash and timeout there. It prints one word (answer.ts). */
const script = ({ protocol, address, port }: Target): string =>
  [
    `said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>/dev/${protocol}/${address}/${port}`,
    protocol === 'udp' ? ' && echo >&3 && sleep 0.2 && echo >&3 && sleep 0.1 && echo >&3' : '',
    `' 2>&1); status=$?; case "$status,$said" in `,
    protocol === 'udp' ? '0,*|124,*) echo silent ;; ' : '0,*) echo open ;; 124,*) echo silent ;; ',
    `*refused*) echo refused ;; *'timed out'*) echo silent ;; *) echo unreachable ;; esac`,
  ].join('');

/**
 * Knocks from another host.
 * @param command what runs a shell command there when the command is given as its last argument, e.g. `ssh web1`; its
 *   words are separated by spaces
 * @returns the answer, or why there is none
 */
export const knockFromHost = async (command: string, target: Target): Promise<Answer | { why: string }> => {
  const [file = '', ...args] = command.split(/\s+/).filter((word) => word !== '');
  const { stdout, stderr } = await run(file, [...args, script(target)]);
  return answerOf(stdout) ?? { why: `'${command}' did not answer: ${stderr.trim()}` };
};
