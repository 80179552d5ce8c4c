import { text, texts, type Flags } from '#cli';
import { readOptions, type UpOptions } from './options.ts';

/** What the command line of `holdfast up` says. @throws UpError `configuration` */
export const optionsOf = (flags: Flags): UpOptions =>
  readOptions({
    ...optional('listen', texts(flags, 'listen')),
    ...optional('allow', texts(flags, 'allow')),
    ...optional('allowName', texts(flags, 'allowName')),
    ...optional('certificates', text(flags, 'certificates')),
    ...optional('tlsName', texts(flags, 'tlsName')),
    ...optional('limit', texts(flags, 'limit')),
    ...optional('console', text(flags, 'console')),
    ...optional('config', text(flags, 'config')),
    ...optional('publish', text(flags, 'publish')),
    ...optional('witness', texts(flags, 'witness')),
    ...optional('witnessQuorum', text(flags, 'witnessQuorum')),
    ...optional('timestampAuthority', text(flags, 'timestampAuthority')),
    agent: flags['agent'] !== false,
  });

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
