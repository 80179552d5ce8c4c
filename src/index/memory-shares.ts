/**
 * What the indexer takes besides its engine's own count, bytes: 310 MiB with nothing in it (230 of them pages of program
 * files, which others share and the system can take back), 80 for two groups of lines, up to 140 for objects of JavaScript.
 * Measured, see docs/performance.md.
 */
const besidesEngine = 512 * 1024 ** 2;

/** With less, the engine cannot merge what it has stored. */
const leastForEngine = 384 * 1024 ** 2;

/**
 * How much of the process's memory the engine may have.
 * @param memory of the process, bytes; `up` takes no less than the two above together
 * @returns bytes
 */
export const engineShare = (memory: number): number => Math.max(memory - besidesEngine, leastForEngine);
