/** What is going on, on standard error: the figures alone go to standard output. */
export const progress = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
