import { parseDecimal, parseHash, sha256, VaultFormatError, type TreeFile } from '#vault/tree';

/**
 * Everything that applying a commit writes, durable before the commit point: `vault/staging/<size>-<root, hex>`.
 * The signed checkpoint is not in it: that comes from the lock record, so nothing is signed before the commit point.
 *
 *     holdfast.staging/v1 <SHA-256, hex, of everything after this line>
 *     <JSON: Plan>
 *     <bytes of the files, in order>
 */
export type Staged = {
  size: number;
  root: Buffer;
  /** Size of the log before. */
  from: number;
  /** Where the checkpoint goes in its history file. */
  history: { path: string; offset: number };
  files: TreeFile[];
  /** Directories of partial tiles that full ones replace. */
  replaced: string[];
};

const kind = 'holdfast.staging/v1';

export const stagingName = (size: number, root: Buffer): string => `${size}-${root.toString('hex')}`;

export const parseStagingName = (name: string): { size: number; root: Buffer } | null => {
  const [sizeText = '', rootText = '', ...rest] = name.split('-');
  const size = parseDecimal(sizeText);
  const root = parseHash(rootText);
  return size === null || root === null || rest.length > 0 ? null : { size, root };
};

export const encodeStaging = (staged: Staged): Buffer => {
  const plan = {
    size: staged.size,
    root: staged.root.toString('hex'),
    from: staged.from,
    history: staged.history,
    files: staged.files.map(({ path, bytes }) => ({ path, length: bytes.length })),
    replaced: staged.replaced,
  };
  const rest = Buffer.concat([
    Buffer.from(`${JSON.stringify(plan)}\n`),
    ...staged.files.map((file) => file.bytes),
  ]);
  return Buffer.concat([Buffer.from(`${kind} ${sha256(rest).toString('hex')}\n`), rest]);
};

/** Reads what this keeper wrote before it died. @throws VaultFormatError if a byte differs */
export const parseStaging = (bytes: Buffer): Staged => {
  const firstEnd = bytes.indexOf(0x0a);
  const rest = bytes.subarray(firstEnd + 1);
  if (firstEnd < 0 || bytes.toString('latin1', 0, firstEnd) !== `${kind} ${sha256(rest).toString('hex')}`) {
    throw new VaultFormatError('staging bundle is damaged: its first line does not match the rest');
  }
  const planEnd = rest.indexOf(0x0a);
  const plan: Plan = JSON.parse(rest.toString('utf8', 0, planEnd));
  let at = planEnd + 1;
  const files = plan.files.map(({ path, length }) => {
    const file = { path, bytes: rest.subarray(at, at + length) };
    at += length;
    return file;
  });
  if (at !== rest.length) throw new VaultFormatError('staging bundle is longer or shorter than its plan');
  return { ...plan, root: Buffer.from(plan.root, 'hex'), files };
};

type Plan = Omit<Staged, 'files' | 'root'> & { root: string; files: { path: string; length: number }[] };
