/** Code points that print as themselves; all else is escaped. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const SHORT_ESCAPES = new Map<number, string>([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** Bytes as a double-quoted string on one line: UTF-8 text as it is, everything that does not print escaped. */
export function quoteBytes(bytes: Uint8Array): string {
  let quoted = '"';
  let at = 0;
  while (at < bytes.length) {
    const rune = decodeRune(bytes, at);
    quoted += rune === undefined ? hexEscape(bytes[at] ?? 0) : quoteRune(rune.codePoint);
    at += rune?.length ?? 1;
  }
  return `${quoted}"`;
}

function quoteRune(codePoint: number): string {
  const short = SHORT_ESCAPES.get(codePoint);
  if (short !== undefined) {
    return short;
  }
  const text = String.fromCodePoint(codePoint);
  if (PRINTABLE.test(text)) {
    return text;
  }
  if (codePoint < 0x80) {
    return hexEscape(codePoint);
  }
  const hex = codePoint.toString(16);
  return codePoint < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** The UTF-8 code point that begins at `at`, or undefined where the bytes are no valid UTF-8. */
function decodeRune(bytes: Uint8Array, at: number): { codePoint: number; length: number } | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) {
    return { codePoint: first, length: 1 };
  }
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) {
    return undefined;
  }
  let codePoint = first & (0xff >> (length + 1));
  for (const next of bytes.subarray(at + 1, at + length)) {
    if ((next & 0xc0) !== 0x80) {
      return undefined;
    }
    codePoint = (codePoint << 6) | (next & 0x3f);
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  return codePoint < least || codePoint > 0x10ffff || isSurrogate ? undefined : { codePoint, length };
}
