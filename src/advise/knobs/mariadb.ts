import { command, turnOf, type Effective, type Knob } from './knob.ts';
import { dropIn } from './text.ts';

/** `--print-defaults` prints the options of all files in their order; the last of a name counts. */
const bindAddress = (program: string): Effective => ({
  argv: [program, '--print-defaults'],
  value: (printed) =>
    [...printed.matchAll(/--bind[-_]address=(\S*)/g)].map(([, value = '']) => value).at(-1) ?? null,
});

/** Files of mariadb.conf.d are read by name: nothing of Debian's comes after `zz-`. */
export const mariadb: Knob = {
  service: 'MariaDB',
  files: ['/etc/mysql/mariadb.conf.d/*.cnf'],
  turn: (facts) => {
    const galera = [...facts.files.values()].some((text) => /^\s*wsrep[-_]on\s*=\s*(?:on|1)/im.test(text));
    const program = facts.exe ?? '/usr/sbin/mariadbd';
    return turnOf(
      facts,
      [dropIn('/etc/mysql/mariadb.conf.d/zz-holdfast-local.cnf', ['[mysqld]', 'bind-address = 127.0.0.1'])],
      {
        checks: [command(program, '--help', '--verbose')],
        effective: bindAddress(program),
        cautions: galera
          ? ['this is a Galera node: its cluster uses ports 4567, 4568 and 4444 of its own']
          : [],
      },
    );
  },
};

export const mysql: Knob = {
  service: 'MySQL',
  files: ['/etc/mysql/mysql.conf.d/*.cnf'],
  turn: (facts) => {
    const program = facts.exe ?? '/usr/sbin/mysqld';
    return turnOf(
      facts,
      [
        dropIn('/etc/mysql/mysql.conf.d/zz-holdfast-local.cnf', [
          '[mysqld]',
          'bind-address = 127.0.0.1',
          'mysqlx-bind-address = 127.0.0.1',
        ]),
      ],
      { checks: [command(program, '--validate-config')], effective: bindAddress(program) },
    );
  },
};
