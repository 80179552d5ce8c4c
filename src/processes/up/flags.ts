import { text, texts, type Flags } from '#cli';
import { readOptions, type UpOptions } from './options.ts';

/** What the command line of `holdfast up` says. @throws UpError `configuration` */
export const optionsOf = (flags: Flags): UpOptions =>
  readOptions({
    listen: texts(flags, 'listen'),
    allow: texts(flags, 'allow'),
    allowName: texts(flags, 'allowName'),
    certificates: text(flags, 'certificates'),
    tlsName: texts(flags, 'tlsName'),
    limit: texts(flags, 'limit'),
    console: text(flags, 'console'),
    config: text(flags, 'config'),
    publish: text(flags, 'publish'),
    witness: texts(flags, 'witness'),
    witnessQuorum: text(flags, 'witnessQuorum'),
    timestampAuthority: text(flags, 'timestampAuthority'),
    indexMemory: text(flags, 'indexMemory'),
    indexUrl: text(flags, 'indexUrl'),
    indexPasswordFile: text(flags, 'indexPasswordFile'),
    indexCa: text(flags, 'indexCa'),
    agent: flags['agent'] !== false,
  });
