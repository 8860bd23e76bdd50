import { RdbError } from "@flaredb/rdb-base";

const escape = /\\x([0-9a-fA-F]{2})/g;

/**
 * A key as people write it: UTF-8, bytes that have no character as \xNN. Reads what `formatKey`
 * prints.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT for a backslash that begins no \xNN
 */
export function parseKeyText(text: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  const addText = (piece: string): void => {
    if (piece.includes("\\")) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        `key "${text}" has a backslash that begins no \\xNN; write \\x5c for a backslash`,
      );
    }
    pieces.push(new TextEncoder().encode(piece));
  };
  let end = 0;
  for (const match of text.matchAll(escape)) {
    addText(text.slice(end, match.index));
    pieces.push(Uint8Array.of(Number.parseInt(match[1] as string, 16)));
    end = match.index + match[0].length;
  }
  addText(text.slice(end));
  const key = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    key.set(piece, at);
    at += piece.length;
  }
  return key;
}
