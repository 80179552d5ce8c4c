import { useEffect, useState } from 'react';
import { Copy, Tick } from './icons.tsx';

/** Copies exactly `text` and says that it did, to eyes and to screen readers. */
export const CopyButton = ({ text, label }: { text: string; label: string }) => {
  const [said, setSaid] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (said === 'idle') return undefined;
    const timer = setTimeout(() => setSaid('idle'), 1_500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setSaid('copied'),
      () => setSaid('refused'),
    );
  };
  return (
    <button type="button" className="copy" onClick={copy}>
      {said === 'copied' ? <Tick /> : <Copy />}
      <span aria-live="polite">
        {said === 'idle' ? label : said === 'copied' ? 'Copied' : 'The browser refused'}
      </span>
    </button>
  );
};
