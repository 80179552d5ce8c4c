import { encodeOwnFrame } from '#wire/own-frame';
import type { Random } from './random.ts';

const words = [
  'Failed',
  'password',
  'for',
  'root',
  'from',
  '192.0.2.7',
  '=',
  '"',
  '\\',
  ']',
  '[',
  '\x1b[31m',
  'ü',
  '\xff',
] as const;
const times = [
  '2026-05-12T03:00:00Z',
  '2026-02-29T24:61:61.999999999+99:99',
  'May 12 03:00:01',
  'Dec 31 23:59:60',
  'Feb 30 00:00:00 2026',
  '*May 12 03:00:01.123 UTC',
  '-',
  '',
] as const;

const text = (random: Random): string =>
  Array.from({ length: random.below(9) }, () => random.pick(words)).join(random.pick([' ', '', '\t', '\0']));

/** A syslog line of any dialect, without its framing. It has no LF. */
export const line = (random: Random): Buffer => {
  const priority = random.pick(['<13>', '<0>', '<191>', '<192>', '<999999999999>', '<>', '<-1>', '']);
  const host = random.pick(['web1', '-', '2001:db8::7', '', 'a.b.c', '[x]']);
  const five = `${priority}${random.pick(['1 ', '1  ', '2 ', ''])}${random.pick(times)} ${host} app ${random.below(99_999)} ID ${random.pick(['-', '[a@1 b="c\\"d"]', '[a@1 b="', '[][', '[a b=c]'])} ${text(random)}`;
  const three = `${priority}${random.pick(['', '42: ', '000043: '])}${random.pick(times)} ${host} ${random.pick(['app[7]: ', 'app: ', '%SYS-5-CONFIG_I: ', ''])}${text(random)}`;
  const rich = random.pick([
    `${priority}@cee: {"msg":"x","a":{"b":[1,2,{"c":null}]},"d":"\\u0000"}`,
    `${priority}{"unfinished":`,
    `${priority}${text(random)} key=value other="a b" third='`,
    'type=AVC msg=audit(1778554800.123:4567): avc: denied { read } for pid=1 comm="x"',
  ]);
  const made = Buffer.from(random.pick([five, three, rich, text(random)]), 'latin1');
  for (let at = made.indexOf(10); at >= 0; at = made.indexOf(10)) made[at] = 0x20;
  return made;
};

const many = (random: Random, one: () => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: random.below(12) }, one));

const number = (bytes: number): Buffer => {
  const made = Buffer.alloc(8);
  made.writeBigUInt64LE(BigInt(bytes));
  return made;
};

/** What a well-meaning sender of each protocol could send. */
export const grammar = {
  syslog: (random: Random): Buffer => {
    const how = random.below(3);
    return many(random, () => {
      const bytes = line(random);
      return how === 0 || (how === 2 && random.below(2) === 0)
        ? Buffer.concat([bytes, Buffer.from(random.pick(['\n', '\r\n', '\n\n']))])
        : Buffer.concat([Buffer.from(`${bytes.length} `), bytes, Buffer.from(random.pick(['', '', '\n']))]);
    });
  },
  gelf: (random: Random): Buffer =>
    many(random, () =>
      Buffer.concat([
        Buffer.from('{"version":"1.1","host":"a","short_message":"'),
        line(random),
        Buffer.from('"}\0'),
      ]),
    ),
  relp: (random: Random): Buffer => {
    let txnr = 0;
    const frame = (command: string, data: Buffer): Buffer => {
      txnr += 1;
      return Buffer.concat([
        Buffer.from(`${txnr} ${command} ${data.length}${data.length === 0 ? '' : ' '}`),
        data,
        Buffer.from('\n'),
      ]);
    };
    const open = frame('open', Buffer.from('relp_version=0\nrelp_software=x\ncommands=syslog'));
    const messages = many(random, () => frame('syslog', line(random)));
    return Buffer.concat([
      open,
      messages,
      random.below(2) === 0 ? frame('close', Buffer.alloc(0)) : Buffer.alloc(0),
    ]);
  },
  /** GELF datagrams, each after its length (2 bytes): messages whole and in chunks, some of them not as they should be. */
  chunks: (random: Random): Buffer => {
    const chunk = (id: number, index: number, count: number, share: Buffer): Buffer => {
      const head = Buffer.alloc(12, id);
      head.set([0x1e, 0x0f]);
      head.set([index, count], 10);
      return Buffer.concat([head, share]);
    };
    const datagrams = Array.from({ length: 1 + random.below(3) }, () => {
      if (random.below(4) === 0) return [line(random)];
      const count = 1 + random.below(random.pick([2, 5, 129]));
      const id = random.below(3);
      return Array.from({ length: Math.min(count, 8) }, (_, n) =>
        chunk(
          id,
          random.below(9) === 0 ? random.below(256) : n,
          random.below(9) === 0 ? random.below(256) : count,
          line(random),
        ),
      ).filter(() => random.below(9) > 0);
    }).flat();
    const order = random.below(2) === 0 ? datagrams : datagrams.toReversed();
    return Buffer.concat(
      order.flatMap((bytes) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        const framed = Buffer.concat([length, bytes]);
        return random.below(5) === 0 ? [framed, framed] : [framed];
      }),
    );
  },
  own: (random: Random): Buffer => {
    let sequence = random.below(5);
    return many(random, () => encodeOwnFrame((sequence += 1), Buffer.from('{"via":"file"}'), line(random)));
  },
  journal: (random: Random): Buffer =>
    many(random, () => {
      const field = (): Buffer => {
        const value = line(random);
        return random.below(3) === 0
          ? Buffer.concat([Buffer.from('MESSAGE\n'), number(value.length), value, Buffer.from('\n')])
          : Buffer.concat([
              Buffer.from(`${random.pick(['MESSAGE', '_HOSTNAME', '__CURSOR'])}=`),
              value,
              Buffer.from('\n'),
            ]);
      };
      return Buffer.concat([field(), field(), Buffer.from(random.pick(['\n', '\n\n\n']))]);
    }),
  line: (random: Random): Buffer => line(random),
} as const;
