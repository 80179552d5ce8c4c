import type { ByteString } from '../../parse/byte-string.ts';
import { GrowingBytes, type Memory } from './bytes.ts';

/** A column of a block in ClickHouse's Native format. */
export type Column = {
  /** Bytes that were written, about. */
  readonly length: number;
  /** What stands before all data of the column, and then its data. Views that are valid until the next write. */
  encoded(): Buffer[];
  clear(): void;
};

/** One value after the other: numbers, strings, fixed strings. */
export class PlainColumn extends GrowingBytes implements Column {
  encoded(): Buffer[] {
    return [this.view()];
  }
}

/** One value after the other, each of which mostly comes many times in a row: it is written once, and then repeated. */
export class RunColumn implements Column {
  private readonly bytes: GrowingBytes;
  private value: number | ByteString | null = null;
  /** Where the value before begins. */
  private last = 0;
  private repeats = 0;

  constructor(memory?: Memory) {
    this.bytes = new GrowingBytes(memory);
  }

  get length(): number {
    return this.bytes.length + this.repeats * (this.bytes.length - this.last);
  }

  uint8(value: number): void {
    if (this.isNext(value)) this.bytes.uint8(value);
  }

  uint32(value: number): void {
    if (this.isNext(value)) this.bytes.uint32(value);
  }

  int64(value: number): void {
    if (this.isNext(value)) this.bytes.int64(value);
  }

  string(text: ByteString): void {
    if (this.isNext(text)) this.bytes.string(text);
  }

  fixed(text: ByteString, length: number): void {
    if (this.isNext(text)) this.bytes.fixed(text, length);
  }

  encoded(): Buffer[] {
    this.repeat();
    return [this.bytes.view()];
  }

  clear(): void {
    this.bytes.clear();
    this.value = null;
    this.last = 0;
    this.repeats = 0;
  }

  /** @returns whether it is to be written, as it is another than the one before */
  private isNext(value: number | ByteString): boolean {
    if (value === this.value) {
      this.repeats += 1;
      return false;
    }
    this.repeat();
    this.value = value;
    this.last = this.bytes.length;
    return true;
  }

  private repeat(): void {
    this.bytes.again(this.bytes.length - this.last, this.repeats);
    this.repeats = 0;
  }
}

/** Nullable: a byte for each row, 1 where there is nothing, and then the values, of which those say nothing. */
export class NullableColumn implements Column {
  private readonly nulls: GrowingBytes;
  private readonly values: GrowingBytes;

  constructor(memory?: Memory) {
    this.nulls = new GrowingBytes(memory);
    this.values = new GrowingBytes(memory);
  }

  get length(): number {
    return this.nulls.length + this.values.length;
  }

  uint32(value: number | null): void {
    this.nulls.uint8(value === null ? 1 : 0);
    this.values.uint32(value ?? 0);
  }

  int64(value: number | null): void {
    this.nulls.uint8(value === null ? 1 : 0);
    this.values.int64(value ?? 0);
  }

  encoded(): Buffer[] {
    return [this.nulls.view(), this.values.view()];
  }

  clear(): void {
    this.nulls.clear();
    this.values.clear();
  }
}

/** SharedDictionariesWithAdditionalKeys */
const dictionaryVersion = 1;
/** HasAdditionalKeys, NeedUpdateDictionary: the block brings its own dictionary. */
const ownDictionary = (1 << 9) | (1 << 10);

/** A power of two. */
const slots = 1024;

/** Cheap, and different for names that come together: their ends are what differs. */
const slotOf = (text: ByteString): number => {
  const { length } = text;
  const middle = text.charCodeAt(length >> 1);
  const last = text.charCodeAt(length - 1);
  return (
    (length + text.charCodeAt(0) * 7 + middle * 31 + text.charCodeAt(length - 2) * 61 + last * 127) &
    (slots - 1)
  );
};

/** LowCardinality(String): each value once, the empty one first, and for each row the place of its value. */
export class DictionaryColumn implements Column {
  private readonly places = new Map<ByteString, number>();
  /** The last value of each slot, and its place: a map would have to hash every text that is new, if not what it says. */
  private readonly recent: ByteString[] = Array.from({ length: slots }, () => '');
  private readonly recentPlaces = new Uint32Array(slots);
  private readonly keys = new GrowingBytes();
  private rows = new Uint32Array(1024);
  private count = 0;
  /** Of the row before. */
  private lastText: ByteString = '';
  private lastPlace = 0;

  constructor() {
    this.clear();
  }

  get length(): number {
    return this.keys.length + this.count;
  }

  /** @returns what was written, the same text each time as long as no other is in its way */
  string(text: ByteString): ByteString {
    if (text !== this.lastText) {
      const slot = text === '' ? 0 : slotOf(text);
      if (this.recent[slot] !== text) {
        this.recentPlaces[slot] = this.placeOf(text);
        this.recent[slot] = text;
      }
      this.lastText = this.recent[slot] ?? text;
      this.lastPlace = this.recentPlaces[slot] ?? 0;
    }
    if (this.count === this.rows.length) {
      const larger = new Uint32Array(this.count * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows[this.count] = this.lastPlace;
    this.count += 1;
    return this.lastText;
  }

  encoded(): Buffer[] {
    return [this.prefix(), ...this.data()];
  }

  prefix(): Buffer {
    return uint64(dictionaryVersion);
  }

  data(): Buffer[] {
    if (this.count === 0) return [];
    const values = this.places.size;
    const rows = this.rows.subarray(0, this.count);
    const [kind, places] =
      values <= 0x100
        ? [0, new Uint8Array(rows)]
        : values <= 0x1_0000
          ? [1, new Uint16Array(rows)]
          : [2, rows];
    return [
      uint64(kind | ownDictionary),
      uint64(values),
      this.keys.view(),
      uint64(this.count),
      Buffer.from(places.buffer, places.byteOffset, places.byteLength),
    ];
  }

  clear(): void {
    this.places.clear();
    this.keys.clear();
    this.count = 0;
    this.lastText = '';
    this.lastPlace = 0;
    this.placeOf('');
    this.recent.fill('');
    this.recentPlaces.fill(0);
  }

  private placeOf(text: ByteString): number {
    let place = this.places.get(text);
    if (place === undefined) {
      place = this.places.size;
      this.places.set(text, place);
      this.keys.string(text);
    }
    return place;
  }
}

/** Map(LowCardinality(String), String): where each row's pairs end, then all names, then all values. */
export class MapColumn implements Column {
  private readonly ends: GrowingBytes;
  private readonly names = new DictionaryColumn();
  private readonly values: GrowingBytes;
  private pairs = 0;

  constructor(memory?: Memory) {
    this.ends = new GrowingBytes(memory);
    this.values = new GrowingBytes(memory);
  }

  get length(): number {
    return this.ends.length + this.names.length + this.values.length;
  }

  /** @param fields name, value, name, value, … */
  map(fields: readonly ByteString[]): void {
    for (let i = 0; i + 1 < fields.length; i += 2) {
      this.names.string(fields[i] ?? '');
      this.values.string(fields[i + 1] ?? '');
    }
    this.pairs += fields.length >>> 1;
    this.ends.int64(this.pairs);
  }

  encoded(): Buffer[] {
    return [this.names.prefix(), this.ends.view(), ...this.names.data(), this.values.view()];
  }

  clear(): void {
    this.ends.clear();
    this.names.clear();
    this.values.clear();
    this.pairs = 0;
  }
}

const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  return bytes;
};
