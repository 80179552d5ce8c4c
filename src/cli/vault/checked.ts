import { micros } from '#base/clock';
import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import { Flag, Framing } from '#vault/record';
import type { CheckedSignature, LineClaim, Step, Verdict } from '#vault/prove';
import type { Io } from '../io.ts';
import { wrap } from '../wrap.ts';

/** What a proof of one line does not show, whatever is in it. */
const notShown = (claim: LineClaim): readonly string[] => [
  'that what the line says is true: times, host and program in it are the sender’s own words',
  claim.record.tlsName === ''
    ? 'who the sender was: it showed no certificate, so the peer is what the receiver saw of it'
    : 'that the certificate was in the right hands',
  'that nothing is missing before or after the line: "holdfast vault verify" on the vault shows gaps',
  claim.signatures.some(({ by }) => by === 'witness')
    ? 'that the log shows everybody the same beyond the checkpoint that the witness saw'
    : 'that the log shows everybody the same: a witness can say so, or somebody who holds a later checkpoint',
  'that the vault still has the line, or that the checkpoint is the newest',
];

/** The verdict in plain words. Everything that is quoted comes from strangers and is escaped. */
export const renderChecked = (io: Io, verdict: Verdict): string => {
  if (verdict.proven) return renderProven(io, verdict.claim);
  const { step, reason, claim } = verdict;
  if (step === 'key' && claim !== null) return renderUnsigned(io, claim);
  return [
    `${io.paint('red', 'NOT PROVEN')}: ${stepNames[step]}: ${printable(reason)}\n`,
    claim === null ? '' : said(io, `The file names ${addressOf(claim)}. Do not rely on anything in it.`),
    step === 'signature' && claim !== null ? said(io, otherKey(claim)) : '',
  ].join('');
};

const stepNames: Readonly<Record<Step, string>> = {
  form: 'the form of the file',
  record: 'the record of the line',
  entry: 'the outer entry',
  line: 'from the line to its batch',
  log: 'from the batch to the log',
  key: 'no key',
  signature: 'the signature',
  witness: 'the witness',
};

const otherKey = ({ signatures, checkpoint }: LineClaim): string =>
  `It says that it is signed by ${signatures.map(signer).join(' and ')}, for the log ${printable(checkpoint.origin)}.`;

const renderProven = (io: Io, claim: LineClaim): string => {
  const { record, checkpoint } = claim;
  const own = claim.signatures.find(({ by }) => by === 'log');
  const facts: readonly (readonly [string, string])[] = [
    [
      'received',
      `${formatMicros(record.received)} by the receiver’s clock, ${record.raw.length} bytes, exactly these`,
    ],
    ['listener', printable(record.listener)],
    [
      'peer',
      `${printable(record.peer)}${record.tlsName === '' ? '' : `, certificate of ${printable(record.tlsName)}`}`,
    ],
    ['number', numberOf(claim)],
    ...flagsOf(record.flags).map((flag) => ['note', flag] as const),
    ...(record.meta === '' ? [] : [['sender adds', printable(record.meta)] as const]),
    ['committed', `${formatMicros(claim.committed)} by the keeper’s clock, as ${placeOf(claim)}`],
    ['checkpoint', `of size ${checkpoint.size}, root ${checkpoint.root.toString('base64')}`],
    ['signed by', own === undefined ? '?' : signer(own)],
    ...claim.signatures.filter(({ by }) => by !== 'log').map((one) => ['also', cosigned(one)] as const),
  ];
  return [
    `${io.paint('green', 'PROVEN')}: the log ${printable(checkpoint.origin)} holds this line at ${addressOf(claim)}\n\n`,
    `  ${io.paint('bold', shownRaw(record.raw))}\n\n`,
    ...facts.map(([name, value]) => wrap(value, io.width, ' '.repeat(14), `  ${name.padEnd(12)}`)),
    '\nNot shown by this:\n',
    ...notShown(claim).map((text) => wrap(text, io.width, '    ', '  - ')),
  ].join('');
};

const renderUnsigned = (io: Io, claim: LineClaim): string =>
  [
    `${io.paint('yellow', 'NOTHING IS PROVEN')} without a public key: give it with --key\n`,
    said(
      io,
      `The hashes fit each other, but anybody can make such a file. It names ${addressOf(claim)} of ${printable(claim.checkpoint.origin)} and says that it is signed by ${claim.signatures.map(signer).join(' and ')}; that was not checked. Take the key from whom you trust, not from who gave you the file.`,
    ),
  ].join('');

const said = (io: Io, text: string): string => wrap(text, io.width, '', '');

const addressOf = ({ index, line }: LineClaim): string => `${index}:${line}`;

const placeOf = ({ index, line, lineCount }: LineClaim): string =>
  `line ${line}${line === 0 ? ' (the manifest)' : ''} of the ${lineCount} (0 to ${lineCount - 1}) of entry ${index}`;

const signer = ({ name, keyId }: CheckedSignature): string => `${printable(name)} (key ${keyId})`;

const cosigned = (signature: CheckedSignature): string =>
  signature.by === 'witness'
    ? `cosigned by ${signer(signature)} at ${seconds(signature.time ?? 0)}: checked`
    : `${signer(signature)}: NOT checked; give its key with --witness`;

/** Longer lines are shown in part; --raw has them whole. */
const maxShown = 4096;

const shownRaw = (raw: Buffer): string =>
  raw.length === 0
    ? '(empty)'
    : `${printable(raw.subarray(0, maxShown))}${raw.length > maxShown ? ` … and ${raw.length - maxShown} bytes more: see --raw` : ''}`;

const numberOf = ({ sequence, record }: LineClaim): string =>
  sequence === 0n
    ? 'none: the sender does not number its lines'
    : `${sequence} of the sender’s stream ${printable(record.stream)}`;

const flagTexts: readonly (readonly [number, string])[] = [
  [Flag.part, 'part of a line longer than the receiver’s limit'],
  [Flag.lastPart, 'the last part of such a line'],
  [Flag.torn, 'torn: the connection ended within it'],
  [Flag.backfill, 'existed before its sender first looked: the time of receipt is not that of its making'],
  [Flag.possibleRedelivery, 'may have been delivered before'],
];

const flagsOf = (flags: number): string[] =>
  flagTexts.filter(([bit]) => (flags & bit) !== 0).map(([, text]) => text);

const latestSecond = 253_402_300_799;

const seconds = (time: number): string =>
  time > latestSecond ? `second ${time}` : `${formatMicros(micros(time * 1_000_000)).slice(0, 19)}Z`;

const framingName = (framing: number): string | number =>
  Object.entries(Framing).find(([, value]) => value === framing)?.[0] ?? framing;

/** The verdict for programs. */
export const checkedJson = (verdict: Verdict): unknown => ({
  proven: verdict.proven,
  ...(verdict.proven ? {} : { step: verdict.step, reason: verdict.reason }),
  claim: verdict.claim === null ? null : claimJson(verdict.claim),
});

const claimJson = (claim: LineClaim): unknown => {
  const { record, checkpoint, signatures } = claim;
  return {
    address: addressOf(claim),
    lines: claim.lineCount,
    received: formatMicros(record.received),
    listener: record.listener,
    peer: record.peer,
    tlsName: record.tlsName,
    stream: record.stream,
    sequence: claim.sequence.toString(),
    flags: flagsOf(record.flags),
    framing: framingName(record.framing),
    meta: record.meta,
    raw: record.raw.toString('base64'),
    committed: formatMicros(claim.committed),
    checkpoint: {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: checkpoint.root.toString('base64'),
    },
    signatures: signatures.map(({ time, ...rest }) => ({ ...rest, ...(time === null ? {} : { time }) })),
    notShown: notShown(claim),
  };
};
