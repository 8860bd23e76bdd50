// CRC-32C (Castagnoli), the checksum of RocksDB's logs; node:zlib has only the other polynomial. Eight bytes a step,
// by eight tables ("slicing by 8").

const POLYNOMIAL = 0x82f63b78;
const tables = makeTables();

/** The CRC-32C of `data` from `start` up to, but without, `end`, going on from `crc`. */
export function crc32c(data: Uint8Array, start: number, end: number, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let state = ~crc;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const low =
      state ^
      ((data[i] as number) |
        ((data[i + 1] as number) << 8) |
        ((data[i + 2] as number) << 16) |
        ((data[i + 3] as number) << 24));
    state =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[data[i + 4] as number] as number) ^
      (t2[data[i + 5] as number] as number) ^
      (t1[data[i + 6] as number] as number) ^
      (t0[data[i + 7] as number] as number);
  }
  for (; i < end; i++) {
    state = (t0[(state ^ (data[i] as number)) & 0xff] as number) ^ (state >>> 8);
  }
  return ~state >>> 0;
}

type Table = Int32Array;

function makeTables(): readonly [Table, Table, Table, Table, Table, Table, Table, Table] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let state = byte;
    for (let bit = 0; bit < 8; bit++) {
      state = state & 1 ? (state >>> 1) ^ POLYNOMIAL : state >>> 1;
    }
    first[byte] = state;
  }
  const next = (previous: Table): Table =>
    previous.map((state) => (first[state & 0xff] as number) ^ (state >>> 8));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)];
}
