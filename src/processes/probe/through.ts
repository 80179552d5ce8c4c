import { spawn } from 'node:child_process';
import { CliError } from '#cli';

/**
 * What runs a shell command on the host when that is given as its last argument, e.g. `ssh root@web1`; words are
 * separated by spaces.
 */
export const argumentsThere = (through: string, command: string): [string, string[]] => {
  const [file = '', ...args] = through.split(/\s+/).filter((word) => word !== '');
  if (file === '') throw new CliError('usage', "--through takes a command, such as 'ssh root@web1'");
  return [file, [...args, command]];
};

const longestOutput = 64 * 1024 * 1024;
const longestComplaint = 2000;

/**
 * Runs a command on the host.
 * @returns what it printed, whatever its exit status
 * @throws CliError `could-not-look` where it printed nothing
 */
export const runThere = async (through: string, command: string): Promise<string> => {
  const [file, args] = argumentsThere(through, command);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (printed.length > longestOutput) child.kill();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(0, longestComplaint);
  });
  const status = await new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      complaint = error.message;
      resolve(null);
    });
    child.on('close', resolve);
  });
  if (printed.trim() !== '') return printed;
  throw new CliError(
    'could-not-look',
    `'${through}' did not run '${command}' (status ${status}): ${complaint.trim() || 'it printed nothing'}`,
  );
};
