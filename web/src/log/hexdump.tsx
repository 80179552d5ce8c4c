import { useMemo, useState } from 'react';
import { CopyButton } from '../copy-button.tsx';
import { count } from '../time.ts';

const perRow = 16;
const rowsAtFirst = 32;

/** The bytes of a line exactly as they were received, as `hexdump -C` shows them. */
export const Hexdump = ({ raw }: { raw: string }) => {
  const bytes = useMemo(() => decodeBase64(raw), [raw]);
  const [rows, setRows] = useState(rowsAtFirst);
  const dump = useMemo(() => hexdump(bytes.subarray(0, rows * perRow)), [bytes, rows]);
  const hidden = bytes.length - rows * perRow;
  return (
    <section aria-label="Raw bytes">
      <header className="detail-section">
        <h3>
          Raw bytes <span className="quiet">{count(bytes.length)}, exactly as received</span>
        </h3>
        <CopyButton text={hexOf(bytes)} label="Hex" />
        <CopyButton text={raw} label="Base64" />
      </header>
      <pre className="hexdump" tabIndex={0} aria-label="Hexdump">
        {dump}
      </pre>
      {hidden > 0 && (
        <button type="button" className="quiet-button" onClick={() => setRows(Infinity)}>
          Show {count(hidden)} more bytes
        </button>
      )}
    </section>
  );
};

const decodeBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Offset, sixteen bytes in two groups of eight, and what of them is printable ASCII. */
export const hexdump = (bytes: Uint8Array): string => {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += perRow) {
    const row = bytes.subarray(at, at + perRow);
    const hex = `${hexOf(row.subarray(0, 8))}  ${hexOf(row.subarray(8))}`.padEnd(perRow * 3);
    const text = Array.from(row, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
    ).join('');
    rows.push(`${at.toString(16).padStart(6, '0')}  ${hex}  ${text}`);
  }
  return rows.join('\n');
};
