import { spawn } from 'node:child_process';
import { printable } from '#base/printable';
import type { NotifyTarget, Notification } from '#wire/alert';

type Command = Extract<NotifyTarget['how'], { by: 'command' }>;

const longestComplaint = 300;

/**
 * Runs a program with the notification as JSON on its standard input: no shell, no environment but PATH, as the courier's
 * own user, in a process group that ends with the time limit. Exit status 0 is word that it was taken.
 * @throws Error exit status, signal or time limit, and the end of what it wrote to standard error
 */
export const runCommand = ({ argv, timeout }: Command, notification: Notification): Promise<void> =>
  new Promise((resolve, reject) => {
    const [file = '', ...args] = argv;
    const child = spawn(file, args, {
      cwd: '/',
      detached: true,
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
        HOLDFAST_ALERT: notification.rule,
        HOLDFAST_NOTIFICATION: notification.id,
      },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let complaint = '';
    let late = false;
    const end = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended, and all that it had started.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeout * 1000);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-longestComplaint);
    });
    // One that does not read its input may have ended well all the same.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(notification)}\n`);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      // What it left running would hold its standard error open.
      end();
      if (status === 0 && !late) return resolve();
      const why = late
        ? `not done within ${timeout} s`
        : status === null
          ? `ended by ${signal}`
          : `exit status ${status}`;
      const said = complaint.trim();
      return reject(new Error(said === '' ? why : `${why}: ${printable(said.replace(/\s+/g, ' '))}`));
    });
  });
