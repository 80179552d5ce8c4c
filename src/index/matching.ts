import type { Engine } from './engine/engine.ts';

/** How many rows of the index a condition holds for. @throws IndexError */
export const rowsMatching = async (engine: Engine, condition: string): Promise<number> =>
  Number(
    (await engine.rows('background', `SELECT count() AS n FROM lines WHERE ${condition}`))[0]?.['n'] ?? 0,
  );
