/*
 * SHA-256 (FIPS 180-4) of four messages at a time, one in each lane of a 128-bit vector: AssemblyScript, compiled to
 * lanes.wasm beside it (compile.ts; a test compares). Addresses are bytes in this module's own memory; areas that are
 * read may be read up to 16 bytes beyond their end.
 */

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** A message that is longer than so many blocks with its padding is not taken. */
const MAX_BLOCKS: i32 = 32;

/** The message schedule of four blocks: 64 vectors. */
const W: usize = memory.data(64 * 16, 16);
/** The hash values so far: 8 vectors. */
const H: usize = memory.data(8 * 16, 16);
/** Of each lane: where its next block is, how many are left, and which message it is. */
const NEXT: usize = memory.data(4 * 4, 16);
const LEFT: usize = memory.data(4 * 4, 16);
const LINE: usize = memory.data(4 * 4, 16);
/** Each lane's message, padded. */
const MESSAGE: usize = memory.data(4 * (MAX_BLOCKS + 1) * 64, 16);
const MESSAGE_SIZE: usize = (MAX_BLOCKS + 1) * 64;

/** A lane without a message has more blocks left than any message. */
const IDLE: i32 = i32.MAX_VALUE;

@inline
function rotated(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by));
}

@inline
function sum0(x: v128): v128 {
  return v128.xor(v128.xor(rotated(x, 2), rotated(x, 13)), rotated(x, 22));
}

@inline
function sum1(x: v128): v128 {
  return v128.xor(v128.xor(rotated(x, 6), rotated(x, 11)), rotated(x, 25));
}

@inline
function sigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotated(x, 7), rotated(x, 18)), i32x4.shr_u(x, 3));
}

@inline
function sigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotated(x, 17), rotated(x, 19)), i32x4.shr_u(x, 10));
}

/** `T1` of FIPS 180-4 §6.2.2. */
@inline
function first(e: v128, f: v128, g: v128, h: v128, k: v128, w: v128): v128 {
  const choice = v128.xor(g, v128.and(e, v128.xor(f, g)));
  return i32x4.add(i32x4.add(i32x4.add(h, k), i32x4.add(w, choice)), sum1(e));
}

/** `T2`. */
@inline
function second(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(sum0(a), v128.xor(v128.and(v128.xor(a, b), v128.xor(b, c)), b));
}

@inline
function k(at: usize, n: i32): v128 {
  return v128.load32_splat(at + (n << 2));
}

@inline
function w(at: usize, n: i32): v128 {
  return v128.load(at + (n << 4));
}

/** The word of the message schedule at `at`, from those before it. */
@inline
function scheduled(at: usize): v128 {
  return i32x4.add(
    i32x4.add(v128.load(at - 16 * 16), sigma0(v128.load(at - 15 * 16))),
    i32x4.add(v128.load(at - 7 * 16), sigma1(v128.load(at - 2 * 16))),
  );
}

/** Adds the four blocks whose 16 words each are in W to the hash values in H. */
function compress(): void {
  let a = v128.load(H, 0);
  let b = v128.load(H, 16);
  let c = v128.load(H, 32);
  let d = v128.load(H, 48);
  let e = v128.load(H, 64);
  let f = v128.load(H, 80);
  let g = v128.load(H, 96);
  let h = v128.load(H, 112);
  let t: v128;
  let ks = K;
  for (let ws = W; ws < W + 16 * 16; ws += 8 * 16, ks += 8 * 4) {
    t = first(e, f, g, h, v128.load32_splat(ks, 0), v128.load(ws, 0));
    d = i32x4.add(d, t);
    h = i32x4.add(t, second(a, b, c));
    t = first(d, e, f, g, v128.load32_splat(ks, 4), v128.load(ws, 16));
    c = i32x4.add(c, t);
    g = i32x4.add(t, second(h, a, b));
    t = first(c, d, e, f, v128.load32_splat(ks, 8), v128.load(ws, 32));
    b = i32x4.add(b, t);
    f = i32x4.add(t, second(g, h, a));
    t = first(b, c, d, e, v128.load32_splat(ks, 12), v128.load(ws, 48));
    a = i32x4.add(a, t);
    e = i32x4.add(t, second(f, g, h));
    t = first(a, b, c, d, v128.load32_splat(ks, 16), v128.load(ws, 64));
    h = i32x4.add(h, t);
    d = i32x4.add(t, second(e, f, g));
    t = first(h, a, b, c, v128.load32_splat(ks, 20), v128.load(ws, 80));
    g = i32x4.add(g, t);
    c = i32x4.add(t, second(d, e, f));
    t = first(g, h, a, b, v128.load32_splat(ks, 24), v128.load(ws, 96));
    f = i32x4.add(f, t);
    b = i32x4.add(t, second(c, d, e));
    t = first(f, g, h, a, v128.load32_splat(ks, 28), v128.load(ws, 112));
    e = i32x4.add(e, t);
    a = i32x4.add(t, second(b, c, d));
  }
  for (let ws = W + 16 * 16; ws < W + 64 * 16; ws += 8 * 16, ks += 8 * 4) {
    const x0 = scheduled(ws + 0);
    v128.store(ws, x0, 0);
    t = first(e, f, g, h, v128.load32_splat(ks, 0), x0);
    d = i32x4.add(d, t);
    h = i32x4.add(t, second(a, b, c));
    const x1 = scheduled(ws + 16);
    v128.store(ws, x1, 16);
    t = first(d, e, f, g, v128.load32_splat(ks, 4), x1);
    c = i32x4.add(c, t);
    g = i32x4.add(t, second(h, a, b));
    const x2 = scheduled(ws + 32);
    v128.store(ws, x2, 32);
    t = first(c, d, e, f, v128.load32_splat(ks, 8), x2);
    b = i32x4.add(b, t);
    f = i32x4.add(t, second(g, h, a));
    const x3 = scheduled(ws + 48);
    v128.store(ws, x3, 48);
    t = first(b, c, d, e, v128.load32_splat(ks, 12), x3);
    a = i32x4.add(a, t);
    e = i32x4.add(t, second(f, g, h));
    const x4 = scheduled(ws + 64);
    v128.store(ws, x4, 64);
    t = first(a, b, c, d, v128.load32_splat(ks, 16), x4);
    h = i32x4.add(h, t);
    d = i32x4.add(t, second(e, f, g));
    const x5 = scheduled(ws + 80);
    v128.store(ws, x5, 80);
    t = first(h, a, b, c, v128.load32_splat(ks, 20), x5);
    g = i32x4.add(g, t);
    c = i32x4.add(t, second(d, e, f));
    const x6 = scheduled(ws + 96);
    v128.store(ws, x6, 96);
    t = first(g, h, a, b, v128.load32_splat(ks, 24), x6);
    f = i32x4.add(f, t);
    b = i32x4.add(t, second(c, d, e));
    const x7 = scheduled(ws + 112);
    v128.store(ws, x7, 112);
    t = first(f, g, h, a, v128.load32_splat(ks, 28), x7);
    e = i32x4.add(e, t);
    a = i32x4.add(t, second(b, c, d));
  }
  v128.store(H, i32x4.add(a, v128.load(H, 0)), 0);
  v128.store(H, i32x4.add(b, v128.load(H, 16)), 16);
  v128.store(H, i32x4.add(c, v128.load(H, 32)), 32);
  v128.store(H, i32x4.add(d, v128.load(H, 48)), 48);
  v128.store(H, i32x4.add(e, v128.load(H, 64)), 64);
  v128.store(H, i32x4.add(f, v128.load(H, 80)), 80);
  v128.store(H, i32x4.add(g, v128.load(H, 96)), 96);
  v128.store(H, i32x4.add(h, v128.load(H, 112)), 112);
}

@inline
function swapped(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Four vectors of one lane each, four words of its block, to four vectors of one word each at `to`. */
@inline
function transpose(to: usize, p: v128, q: v128, r: v128, s: v128): void {
  const pqLow = i32x4.shuffle(p, q, 0, 4, 1, 5);
  const pqHigh = i32x4.shuffle(p, q, 2, 6, 3, 7);
  const rsLow = i32x4.shuffle(r, s, 0, 4, 1, 5);
  const rsHigh = i32x4.shuffle(r, s, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(pqLow, rsLow, 0, 2));
  v128.store(to + 16, i64x2.shuffle(pqLow, rsLow, 1, 3));
  v128.store(to + 32, i64x2.shuffle(pqHigh, rsHigh, 0, 2));
  v128.store(to + 48, i64x2.shuffle(pqHigh, rsHigh, 1, 3));
}

/** A quarter of the blocks at p, q, r and s to W. */
@inline
function quarter(n: i32, p: usize, q: usize, r: usize, s: usize): void {
  const at = n << 4;
  transpose(
    W + (n << 6),
    swapped(v128.load(p + at)),
    swapped(v128.load(q + at)),
    swapped(v128.load(r + at)),
    swapped(v128.load(s + at)),
  );
}

@inline
function gather(p: usize, q: usize, r: usize, s: usize): void {
  quarter(0, p, q, r, s);
  quarter(1, p, q, r, s);
  quarter(2, p, q, r, s);
  quarter(3, p, q, r, s);
}

function begin(): void {
  for (let i = 0; i < 8; i++) v128.store(H + (i << 4), k(INITIAL, i));
}

/**
 * `SHA-256(0x01 ‖ left ‖ right)` of `count` pairs of hashes at `row`, written over them from its beginning. A lane's
 * first block is the pair, moved by one byte; its second one has nothing but the last byte and the padding.
 */
export function nodes(row: usize, count: i32): void {
  const mark = i32x4.splat(0x01000000);
  const rest = i32x4.splat(0x00ffffff);
  for (let i = 0; i < count; i += 4) {
    const p = row + (i << 6) - 1;
    begin();
    gather(p, p + 64, p + 128, p + 192);
    v128.store(W, v128.or(v128.and(w(W, 0), rest), mark));
    const last = i32x4.replace_lane(
      i32x4.replace_lane(
        i32x4.replace_lane(i32x4.splat(i32.load8_u(p + 64)), 1, i32.load8_u(p + 128)),
        2,
        i32.load8_u(p + 192),
      ),
      3,
      i32.load8_u(p + 256),
    );
    compress();
    v128.store(W, v128.or(i32x4.shl(last, 24), i32x4.splat(0x00800000)));
    for (let n = 1; n < 15; n++) v128.store(W + (n << 4), i32x4.splat(0));
    v128.store(W + 15 * 16, i32x4.splat(65 * 8));
    compress();
    // W is free by now: the hashes are turned there, and those of pairs that there are go out.
    transpose(W, swapped(w(H, 0)), swapped(w(H, 1)), swapped(w(H, 2)), swapped(w(H, 3)));
    transpose(W + 64, swapped(w(H, 4)), swapped(w(H, 5)), swapped(w(H, 6)), swapped(w(H, 7)));
    const lanes = min(4, count - i);
    for (let lane = 0; lane < lanes; lane++) {
      const to = row + ((i + lane) << 5);
      v128.store(to, w(W, lane));
      v128.store(to + 16, w(W, lane + 4));
    }
  }
}

/** Root of the tree over `count` hashes at `row` (one at least), to the beginning of it: RFC 6962 §2.1. */
export function root(row: usize, count: i32): void {
  while (count > 1) {
    const parents = count >> 1;
    nodes(row, parents);
    if (count & 1) {
      const odd = row + ((count - 1) << 5);
      v128.store(row + (parents << 5), v128.load(odd));
      v128.store(row + (parents << 5) + 16, v128.load(odd + 16));
    }
    count = parents + (count & 1);
  }
}

/** Where memory begins that the caller may use. */
export function free(): usize {
  return (__heap_base + 63) & ~63;
}

/** The next line that no lane has taken. */
let line: i32 = 0;

/** Gives `lane` the next line that is not too long, or nothing. */
function refill(lane: i32, lines: usize, offsets: usize, salts: usize, count: i32): void {
  const at = MESSAGE + <usize>lane * MESSAGE_SIZE;
  store<u32>(NEXT + (lane << 2), at);
  while (line < count) {
    const n = line++;
    const from = load<u32>(offsets + (n << 2));
    const length: i32 = load<u32>(offsets + (n << 2) + 4) - from;
    const end: i32 = 1 + 16 + length;
    const blocks: i32 = (end + 9 + 63) >> 6;
    if (blocks > MAX_BLOCKS) continue;
    store<u8>(at, 0x00);
    v128.store(at + 1, v128.load(salts + (n << 4)));
    for (let i = 0; i < length; i += 16) v128.store(at + 17 + i, v128.load(lines + from + i));
    const size = blocks << 6;
    for (let i = end; i < size; i += 16) v128.store(at + i, i32x4.splat(0));
    store<u8>(at + end, 0x80);
    store<u64>(at + size - 8, bswap<u64>(<u64>end << 3));
    for (let i = 0; i < 8; i++) store<u32>(H + (i << 4) + (lane << 2), load<u32>(INITIAL + (i << 2)));
    store<i32>(LEFT + (lane << 2), blocks);
    store<i32>(LINE + (lane << 2), n);
    return;
  }
  store<i32>(LEFT + (lane << 2), IDLE);
}

/**
 * `SHA-256(0x00 ‖ salt ‖ line)` of `count` lines, to `leaves`. Line i is the bytes from the i-th of `offsets` to the
 * next one, counted from `lines` (which may lie before the memory: the sum counts); its salt is the i-th 16 bytes.
 * Lines of more than MAX_BLOCKS are left out.
 */
export function leaves(lines: usize, offsets: usize, salts: usize, count: i32, leaves: usize): void {
  line = 0;
  for (let lane = 0; lane < 4; lane++) refill(lane, lines, offsets, salts, count);
  for (;;) {
    const p = load<u32>(NEXT);
    const q = load<u32>(NEXT + 4);
    const r = load<u32>(NEXT + 8);
    const s = load<u32>(NEXT + 12);
    const run = min(
      min(load<i32>(LEFT), load<i32>(LEFT + 4)),
      min(load<i32>(LEFT + 8), load<i32>(LEFT + 12)),
    );
    if (run === IDLE) return;
    for (let i = 0; i < run; i++) {
      const at = i << 6;
      gather(p + at, q + at, r + at, s + at);
      compress();
    }
    for (let lane = 0; lane < 4; lane++) {
      const left = load<i32>(LEFT + (lane << 2));
      if (left === IDLE) continue;
      store<i32>(LEFT + (lane << 2), left - run);
      store<u32>(NEXT + (lane << 2), load<u32>(NEXT + (lane << 2)) + (run << 6));
      if (left > run) continue;
      const to = leaves + (load<u32>(LINE + (lane << 2)) << 5);
      for (let i = 0; i < 8; i++)
        store<u32>(to + (i << 2), bswap<u32>(load<u32>(H + (i << 4) + (lane << 2))));
      refill(lane, lines, offsets, salts, count);
    }
  }
}
