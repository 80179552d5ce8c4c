import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** Exim of Debian on a port of loopback, with a directory of its own: what it delivers lies there as files. */
export type MailServer = {
  port: number;
  /** The certificate that it shows. */
  certificate: string;
  user: string;
  password: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Mails that were delivered, as they lie there. */
  mails(): string[];
  log(): string;
  remove(): Promise<void>;
};

/** Why there can be none here, or `null`. */
export const noMailServer = (): string | null => {
  if (process.getuid?.() !== 0) return 'only root can start exim with a configuration of its own';
  return spawnSync('/usr/sbin/exim4', ['-bV']).status === 0
    ? null
    : 'exim is not installed (apt-get install exim4-daemon-light)';
};

const configuration = (root: string, user: string, password: string): string => `
primary_hostname = mail.test
spool_directory = ${root}/spool
log_file_path = ${root}/log/%slog
pid_file_path = ${root}/pid
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
tls_advertise_hosts = *
tls_certificate = ${root}/cert.pem
tls_privatekey = ${root}/key.pem
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
keep_environment =
begin acl
accept_all:
  accept
begin routers
everybody:
  driver = accept
  transport = files
begin transports
files:
  driver = appendfile
  directory = ${root}/mails
  maildir_format
  user = Debian-exim
  envelope_to_add
  delivery_date_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{$auth2}{${user}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
`;

export const newMailServer = async (): Promise<MailServer> => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-mail-'));
  chmodSync(root, 0o755);
  const [user, password] = ['holdfast', 'correct horse battery'];
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'Debian-exim'], { encoding: 'utf8' }).stdout.trim());
  for (const name of ['spool', 'log', 'mails']) {
    mkdirSync(join(root, name));
    chownSync(join(root, name), id('-u'), id('-g'));
  }
  const certificate = join(root, 'cert.pem');
  const made = spawnSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=mail.test',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(root, 'key.pem'), '-out', certificate],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  chownSync(join(root, 'key.pem'), id('-u'), id('-g'));
  writeFileSync(join(root, 'exim.conf'), configuration(root, user, password));
  const port = await freePort();
  let running: ChildProcess | null = null;
  const stop = async (): Promise<void> => {
    const child = running;
    running = null;
    if (child === null || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
  return {
    port,
    certificate,
    user,
    password,
    async start() {
      running = spawn(
        '/usr/sbin/exim4',
        ['-C', join(root, 'exim.conf'), '-bdf', '-oX', `127.0.0.1.${port}`],
        { stdio: 'ignore' },
      );
      for (
        let waited = 0;
        spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]).status !== 0;
        waited += 50
      ) {
        if (waited > 60_000) throw new Error('exim does not answer');
        await sleep(50);
      }
    },
    stop,
    mails() {
      const directory = join(root, 'mails', 'new');
      try {
        return readdirSync(directory)
          .toSorted()
          .map((name) => readFileSync(join(directory, name), 'utf8'));
      } catch {
        return [];
      }
    },
    log: () => readFileSync(join(root, 'log', 'mainlog'), 'utf8'),
    async remove() {
      await stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
