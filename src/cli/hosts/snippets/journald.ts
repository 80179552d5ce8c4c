import { bracketed, lines, type Snippet } from './snippet.ts';

const promise =
  'each entry with its cursor, as often as it takes: Holdfast answers after fsync and shows every entry once';

export const journald: Snippet = {
  name: 'journald',
  title: 'systemd-journal-upload',
  file: '/etc/systemd/journal-upload.conf.d/holdfast.conf',
  activate: 'systemctl enable --now systemd-journal-upload',
  packages: ['systemd-journal-remote'],
  ways: {
    https: {
      kind: 'https',
      promise,
      write: ({ host, port, files }) =>
        lines(
          '[Upload]',
          `URL=https://${bracketed(host)}:${port}`,
          `ServerKeyFile=${files}/client.key`,
          `ServerCertificateFile=${files}/client.crt`,
          `TrustedCertificateFile=${files}/authority.crt`,
        ),
    },
    http: {
      kind: 'http',
      promise,
      write: ({ host, port }) => lines('[Upload]', `URL=http://${bracketed(host)}:${port}`),
    },
  },
};
