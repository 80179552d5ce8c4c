const secretName = /pass(?:w(?:or)?d|phrase)?|secret|token|credential|api-?key|private-?key|\bauth\b/i;
/** After these an interpreter finds a program, which may hold anything. */
const inlineCode = /^-(?:c|e|r|-eval|-print|p|-execute)$/;

/**
 * A command line without its program, as it can be shown: anybody on the host can read it, but what leaves the host
 * should hold no secret. What an option named like a secret takes, passwords in addresses, programs in the line and
 * long random words are replaced by `…`.
 * @param interpreter the executable runs other people's programs
 */
export const shownArguments = (argv: readonly string[], interpreter: boolean): string[] => {
  let hideNext = false;
  return argv.slice(1).map((argument) => {
    const hidden = hideNext;
    const isSecret = secretName.test(argument);
    hideNext =
      !hidden && ((/^--?[^=]*$/.test(argument) && isSecret) || (interpreter && inlineCode.test(argument)));
    if (hidden) return '…';
    const [, name] = /^([^=]*)=/.exec(argument) ?? [];
    if (name !== undefined && secretName.test(name)) return `${name}=…`;
    if (/^-p(?=.*\D)./.test(argument)) return '-p…';
    const plain = argument.replace(/(:\/\/[^/:@\s]*):[^@/\s]+@/g, '$1:…@');
    return /^[\w+=-]{32,}$/.test(plain) && /\d/.test(plain) && /[A-Za-z]/.test(plain) ? '…' : plain;
  });
};
