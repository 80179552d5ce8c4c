/**
 * Lanes keep one kind of work from holding back another: a connection runs one statement at a time, several
 * connections run in parallel.
 *
 * - `ingest`: inserts. Its statements take no parameters, because the binding runs all statements that do one
 *   after the other, process-wide.
 * - `interactive`: people's searches, bounded in time and memory.
 * - `background`: index building, clean-up, statistics.
 * - `readonly`: SQL that somebody else wrote. Cannot write, cannot change a setting.
 */
export type Lane = 'ingest' | 'interactive' | 'background' | 'readonly';

/** Values bound to `{name:Type}` in a statement; never spliced into its text. */
export type Parameters = Record<string, string | number | readonly string[] | readonly number[]>;

/** A table's name, its columns in order, and ClickHouse's name of the format in which its rows are appended. */
export type TableLayout = {
  name: string;
  format: 'RowBinary' | 'Native';
  columns: readonly (readonly [name: string, type: string])[];
};

/** What an engine needs to know to make a table, in SQL, but for where and by what it is kept. */
export type TableDefinition = TableLayout & {
  /** Columns that are not stored, but made of others when they are asked for. */
  aliases: readonly (readonly [name: string, type: string, expression: string])[];
  /** Of each column that has one. */
  codecs: Readonly<Record<string, string>>;
  indices: readonly string[];
  /** `newest`: of rows alike by `order`, those with a lower `revision` are of no use any more. */
  keeps: 'all' | 'newest';
  partition: string | null;
  order: string;
  /** Which rows belong on one machine, where there are several: an expression of a number. */
  placed: string;
  settings: readonly string[];
  /** What it is said to be, to tell two sets of tables apart. */
  comment: string;
};

/** Another vault whose index is on the same servers: its table of lines, and how far its own indexer has got. */
export type OtherVault = { vault: string; table: string; entries: number };

/** Rows that wait to be inserted, and have to be inserted or discarded. */
export type StagedRows = {
  /** As `Engine.insert`; once. @throws IndexError; then none, some or all of the rows are in the table */
  insert(indices?: 'now' | 'late'): Promise<void>;
  discard(): Promise<void>;
};

/** The database, as the product sees it: one set of tables. Statements name them without a database. */
export type Engine = {
  /** A statement that gives nothing back. @throws IndexError */
  run(lane: Lane, sql: string, parameters?: Parameters): Promise<void>;
  /** A SELECT; rows as objects by column name. 64-bit integers may come as strings. @throws IndexError */
  rows(lane: Lane, sql: string, parameters?: Parameters): Promise<Record<string, unknown>[]>;
  /** A SELECT; its rows in ClickHouse's RowBinary format, so that bytes that are not UTF-8 survive. @throws IndexError */
  binary(lane: Lane, sql: string, parameters?: Parameters): Promise<Buffer>;
  /**
   * Appends rows, in pieces of the table's own format.
   * @param indices whether those that can be built late (schema.ts) are built `now`; default `late`, by merges. Servers go by
   * settings of their own
   * @throws IndexError; then none, some or all of the rows are in the table
   */
  insert(table: TableLayout, rows: readonly Uint8Array[], indices?: 'now' | 'late'): Promise<void>;
  /**
   * Takes rows out of the memory that they are in, to be inserted in their turn: into a file, or where the engine is elsewhere into
   * memory of its own. @throws IndexError; then it has none
   */
  stage(table: TableLayout, rows: readonly Uint8Array[]): Promise<StagedRows>;
  /** Makes tables that are not there yet. @throws IndexError */
  createTables(tables: readonly TableDefinition[]): Promise<void>;
  /** Deletes tables with all that is in them, at once. @throws IndexError */
  dropTables(tables: readonly TableLayout[]): Promise<void>;
  /** Deletes the rows for which a condition holds; resolves when none is found any more. @throws IndexError */
  deleteRows(table: TableLayout, condition: string): Promise<void>;
  /**
   * Resolves when no insert can come in late whose sender died or gave it up; before rows are deleted that nothing
   * speaks of. @throws IndexError
   */
  settle(): Promise<void>;
  /** Deletes from the disk what merges have replaced, where the engine does not do that by itself. @throws IndexError */
  deleteOldParts(tables: readonly TableLayout[]): Promise<void>;
  /** The same at once for what a deletion of rows has replaced, however young. @throws IndexError */
  deletePartsNow(table: TableLayout): Promise<void>;
  /**
   * Builds indices of large parts that inserts have left without them.
   * @returns how many parts lacked them
   * @throws IndexError
   */
  buildIndices(table: TableLayout, indices: readonly string[]): Promise<number>;
  /**
   * Whether parts of a table are merged; an engine that merges elsewhere, or for others too, goes on. Deletions and the
   * building of an index wait until they are.
   * @throws IndexError
   */
  letMerge(table: TableLayout, merges: 'go on' | 'wait'): Promise<void>;
  /**
   * A second set of tables, which nobody searches: what is made there takes the place of this one's by `takeOver`. It has
   * the lanes `ingest` and `background`, and is closed with this one. There is one; asked again, it is the same.
   * @throws IndexError
   */
  beside(): Promise<Engine>;
  /** Whether there is a second set of tables. @throws IndexError */
  hasBeside(): Promise<boolean>;
  /**
   * Puts the second set's tables in the place of this one's, one after the other. Cut short between two, it is completed
   * by calling it again with the rest.
   * @throws IndexError
   */
  takeOver(tables: readonly TableLayout[]): Promise<void>;
  /** Deletes the second set of tables, if there is one. @throws IndexError */
  dropBeside(): Promise<void>;
  /** What each table of both sets was said to be when it was made (`COMMENT`); no entry where there is no such table. @throws IndexError */
  comments(): Promise<{ here: Map<string, string>; beside: Map<string, string> }>;
  /** The other vaults of these servers whose indexes have the same layout. @throws IndexError */
  otherVaults(): Promise<OtherVault[]>;
  /** Waits for what is running, refuses what comes after. */
  close(): Promise<void>;
};

export type EngineOptions = {
  /** The index's directory. Holds the engine's own files and `incoming/`, through which inserts pass. */
  path: string;
  /** Bound of the engine's memory, bytes. Default 1 GiB. */
  memory?: number;
  /** Bound of one interactive statement, seconds. Default 20. */
  interactiveSeconds?: number;
};
