import type { TableLayout } from '../../engine/engine.ts';
import { GrowingBytes } from './bytes.ts';
import { DictionaryColumn, MapColumn, NullableColumn, PlainColumn, type Column } from './columns.ts';

const newColumns = () => ({
  entry: new PlainColumn(),
  line: new PlainColumn(),
  part: new PlainColumn(),
  time: new PlainColumn(),
  claimed_apart: new NullableColumn(),
  received: new PlainColumn(),
  committed: new PlainColumn(),
  host: new DictionaryColumn(),
  app: new DictionaryColumn(),
  source: new DictionaryColumn(),
  listener: new DictionaryColumn(),
  via: new DictionaryColumn(),
  pid: new NullableColumn(),
  facility: new PlainColumn(),
  severity: new PlainColumn(),
  message: new PlainColumn(),
  fields: new MapColumn(),
  prefix: new PlainColumn(),
  suffix: new PlainColumn(),
  whole: new PlainColumn(),
  implied: new PlainColumn(),
  flags: new PlainColumn(),
  parser_version: new PlainColumn(),
  confidence: new PlainColumn(),
  tls_name: new DictionaryColumn(),
  stream: new DictionaryColumn(),
  sequence: new PlainColumn(),
  content: new PlainColumn(),
  dedup: new PlainColumn(),
  form: new PlainColumn(),
});

/**
 * Rows of `lines`, column by column. The engine takes them in this form at a quarter of what it takes to read rows: names
 * that come again are written once, and nothing has to be turned around.
 */
export class LinesBlock {
  readonly columns = newColumns();

  /** Bytes that were written, about. */
  get length(): number {
    return this.all().reduce((sum, column) => sum + column.length, 0);
  }

  /** Rows that were written. */
  get rows(): number {
    return this.columns.facility.length;
  }

  /**
   * One block: the number of columns and of rows, then of each column its name, its type and its data. Views that are
   * valid until the next write.
   */
  encoded(table: TableLayout): Buffer[] {
    const byName = new Map(Object.entries<Column>(this.columns));
    const head = new GrowingBytes();
    head.varint(table.columns.length);
    head.varint(this.rows);
    return [
      head.view(),
      ...table.columns.flatMap(([name, type]) => {
        const title = new GrowingBytes();
        title.string(name);
        title.string(type);
        const column = byName.get(name);
        if (column === undefined) throw new RangeError(`a block has no column ${name}`);
        return [title.view(), ...column.encoded()];
      }),
    ];
  }

  clear(): void {
    for (const column of this.all()) column.clear();
  }

  private all(): Column[] {
    return Object.values<Column>(this.columns);
  }
}
