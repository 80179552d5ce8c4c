import { command, turnOf, type Knob } from './knob.ts';
import { commentedOut, dropIn, editsOf, withDirective } from './text.ts';

const own = /^\s*listen_addresses\s*=?/;
const local = "listen_addresses = 'localhost'";

/** What ALTER SYSTEM wrote to postgresql.auto.conf is read last, after all that is included. */
export const postgresql: Knob = {
  service: 'PostgreSQL',
  files: [
    '/etc/postgresql/*/*/postgresql.conf',
    '/etc/postgresql/*/*/conf.d/*.conf',
    '/var/lib/postgresql/*/*/postgresql.auto.conf',
  ],
  turn: (facts) => {
    const [, version, cluster] = /^postgresql@(\d+)-(.+)\.service$/.exec(facts.unit) ?? [];
    const etc = `/etc/postgresql/${version}/${cluster}`;
    const main = facts.files.get(`${etc}/postgresql.conf`);
    if (version === undefined || cluster === undefined || main === undefined)
      return {
        why: `${facts.unit} is no cluster as Debian sets them up`,
        remedy: `set listen_addresses='localhost' in its postgresql.conf and restart it`,
      };
    const data =
      /^\s*data_directory\s*=?\s*'([^']+)'/m.exec(main)?.[1] ?? `/var/lib/postgresql/${version}/${cluster}`;
    const includes = /^\s*include_dir\s*=?\s*'conf\.d'/m.test(main);
    const ask = [
      'setpriv',
      '--reuid=postgres',
      '--regid=postgres',
      '--init-groups',
      `/usr/lib/postgresql/${version}/bin/postgres`,
      '-C',
      'listen_addresses',
      '-D',
      data,
      '-c',
      `config_file=${etc}/postgresql.conf`,
    ];
    return turnOf(
      facts,
      [
        includes
          ? dropIn(`${etc}/conf.d/zz-holdfast-local.conf`, [local])
          : { path: `${etc}/postgresql.conf`, text: withDirective(main, own, local) },
        ...editsOf(facts.files, /postgresql\.auto\.conf$/, (text, path) =>
          path.startsWith(`${data}/`) ? commentedOut(text, own) : text,
        ),
      ],
      { checks: [command(...ask)], effective: { argv: ask, value: (printed) => printed.trim() } },
    );
  },
};
