/** How a value is shown. */
export type ValueForm = "auto" | "text" | "json" | "hex";

/** A value as text, and in which form that is. */
export interface ShownValue {
  readonly form: Exclude<ValueForm, "auto">;
  readonly text: string;
}

/** Bytes of a line of the hexadecimal form. */
const HEX_LINE_BYTES = 16;

/** The bytes as people can read them. `auto`: as JSON if they are some, else as text if they are some, else in hex. */
export function shownValue(bytes: Uint8Array, form: ValueForm): ShownValue {
  const text = textOf(bytes);
  if (form === "json" || form === "auto") {
    const json = text === undefined ? undefined : jsonOf(text, form === "auto");
    if (json !== undefined) {
      return { form: "json", text: json };
    }
  }
  return form !== "hex" && text !== undefined
    ? { form: "text", text }
    : { form: "hex", text: hexDump(bytes) };
}

/** What people type as a value: `text` as it is, `json` checked, `hex` as digits with spaces between them as one likes. */
export type TypedForm = Exclude<ValueForm, "auto">;

/** The bytes of what was typed as hexadecimal digits, or why they are none. */
export function typedValue(
  text: string,
  form: TypedForm,
): { readonly hex: string } | { readonly problem: string } {
  if (form === "hex") {
    const digits = text.replaceAll(/\s+/g, "");
    return /^([0-9a-fA-F]{2})*$/.test(digits)
      ? { hex: digits.toLowerCase() }
      : { problem: "Not an even number of hexadecimal digits." };
  }
  if (form === "json") {
    try {
      JSON.parse(text);
    } catch (error) {
      return { problem: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { hex: hexOf(new TextEncoder().encode(text)) };
}

/** The bytes as people would type them in this form: as they are, not laid out. */
export function typedText(bytes: Uint8Array, form: TypedForm): string {
  return form === "hex" ? hexOf(bytes) : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** From base64, as PD sends values. */
export function bytesOfBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Undefined where they are no UTF-8, or hold what is no text. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
  } catch {
    // No UTF-8: shown in hex.
    return undefined;
  }
}

/** @param structuredOnly not for a lone number, which is as well a text */
function jsonOf(text: string, structuredOnly: boolean): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return structuredOnly && (typeof value !== "object" || value === null)
      ? undefined
      : JSON.stringify(value, null, 2);
  } catch {
    // No JSON, or only its beginning: shown as text.
    return undefined;
  }
}

/** Place, bytes, and what of them is printable, by lines. */
function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_LINE_BYTES) {
    const part = [...bytes.subarray(at, at + HEX_LINE_BYTES)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const printable = part
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"))
      .join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(HEX_LINE_BYTES * 3 - 1)}  ${printable}`);
  }
  return lines.join("\n");
}
