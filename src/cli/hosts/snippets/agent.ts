import { bracketed, lines, type Snippet } from './snippet.ts';

export const agent: Snippet = {
  name: 'agent',
  title: 'Holdfast’s own agent',
  file: null,
  activate: null,
  packages: [],
  ways: {
    tls: {
      kind: 'agent',
      promise:
        'journal, files and facts, numbered and kept on disk until acknowledged after fsync: each line shows once, and a missing one is named',
      write: ({ host, port }) => lines(`holdfast agent --server ${bracketed(host)}:${port}`),
    },
  },
};
