/** How urgent a line looks. Colour never stands alone: the word is always shown beside it. */
export type Tone = 'alarm' | 'error' | 'warning' | 'notice' | 'info' | 'debug' | 'none';

/** Severities of RFC 5424 §6.2.1 in the spellings that are seen, and what is shown for each. */
const words: Record<string, { word: string; tone: Tone }> = {
  emerg: { word: 'emerg', tone: 'alarm' },
  emergency: { word: 'emerg', tone: 'alarm' },
  panic: { word: 'emerg', tone: 'alarm' },
  alert: { word: 'alert', tone: 'alarm' },
  crit: { word: 'crit', tone: 'alarm' },
  critical: { word: 'crit', tone: 'alarm' },
  err: { word: 'error', tone: 'error' },
  error: { word: 'error', tone: 'error' },
  warning: { word: 'warn', tone: 'warning' },
  warn: { word: 'warn', tone: 'warning' },
  notice: { word: 'notice', tone: 'notice' },
  info: { word: 'info', tone: 'info' },
  informational: { word: 'info', tone: 'info' },
  debug: { word: 'debug', tone: 'debug' },
};

/** `null` = the sender gave none, which is not the same as "info". */
export const toneOf = (severity: string | null): { word: string; tone: Tone } =>
  severity === null
    ? { word: '–', tone: 'none' }
    : (words[severity.toLowerCase()] ?? { word: severity, tone: 'none' });

export const isTrouble = (severity: string | null): boolean => {
  const { tone } = toneOf(severity);
  return tone === 'alarm' || tone === 'error';
};
