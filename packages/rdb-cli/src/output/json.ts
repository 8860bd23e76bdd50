import { decodeUtf8, toHex } from "./text.ts";

/**
 * A key or value as a field of a JSON document: `{name: text}` when the bytes are UTF-8, else `{nameHex: hex}`;
 * with `hex` always the latter.
 */
export function bytesField(name: string, bytes: Uint8Array, hex = false): Record<string, string> {
  const text = hex ? undefined : decodeUtf8(bytes);
  return text === undefined ? { [`${name}Hex`]: toHex(bytes) } : { [name]: text };
}

/** One JSON document on one line. A bigint becomes a number: ids, versions and sizes are safe integers. */
export function toJsonLine(document: unknown): string {
  const text = JSON.stringify(document, (_key, value: unknown) =>
    typeof value === "bigint" ? Number(value) : value,
  );
  return `${text}\n`;
}
