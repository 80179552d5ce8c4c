import { Damage, type Part } from './part.ts';
import { mostUnpacked } from './unpack.ts';

/** What the bodies of one entry may come to. */
export type BudgetLimits = {
  lines: number;
  /** Of what is kept of lines: their bytes, messages and fields. */
  kept: number;
  /** Of what compressed bodies unpack to. */
  unpacked: number;
};

export const budgetLimits: BudgetLimits = {
  lines: 500_000,
  kept: 192 * 1024 * 1024,
  unpacked: 512 * 1024 * 1024,
};

/** A body that unpacks to too much costs this much of what the others have. */
const failed = 16 * 1024 * 1024;

/**
 * Bounds what a few kilobytes of compressed bodies can make of themselves: they are taken apart in memory, and their
 * lines go into one insert. It hangs on nothing but the entry, so an index that is made again has the same lines.
 */
export class Budget {
  private readonly left: BudgetLimits;

  constructor(limits: BudgetLimits = budgetLimits) {
    this.left = { ...limits };
  }

  /** Takes a line in, if there is room. */
  allows({ bytes, parsed }: Part): boolean {
    let size = bytes.length + (parsed.message?.length ?? 0) + 256;
    for (const field of parsed.fields) size += field.length + 2;
    if (this.left.lines < 1 || this.left.kept < size) return false;
    this.left.lines -= 1;
    this.left.kept -= size;
    return true;
  }

  /** @throws Damage, also where there is no room */
  unpack(body: Buffer, unpack: (most: number) => Buffer): Buffer {
    const most = Math.min(mostUnpacked, this.left.unpacked);
    if (most <= 0) throw new Damage('its entry has too much that is compressed');
    try {
      const whole = unpack(most);
      if (whole !== body) this.left.unpacked -= whole.length;
      return whole;
    } catch (error) {
      this.left.unpacked -= failed;
      throw error;
    }
  }
}
