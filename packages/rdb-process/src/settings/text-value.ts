import { GiB, HOUR_MS, KiB, MINUTE_MS, MiB, SECOND_MS, assertNever } from "@flaredb/rdb-base";
import { parseJson } from "./config-file.ts";
import type { Setting } from "./setting.ts";

/** What a text says; or why it says nothing, as the end of a sentence. */
export type TextValue = { readonly value: unknown } | { readonly problem: string };

/** Reads the text of one setting. */
export type TextReader = (text: string) => TextValue;

/** The reader of what is written for a setting in the environment or on the command line. */
export function textReader(setting: Setting): TextReader {
  switch (setting.kind) {
    case "integer":
      return (text) => readInteger(text, setting.unit);
    case "number":
      return readNumber;
    case "boolean":
      return readBoolean;
    case "text":
      return (text) => ({ value: text });
    case "list":
      return (text) => ({ value: text === "" ? [] : partsOf(text) });
    case "map":
      return readMap;
    case "json":
      return readJson;
    default:
      return assertNever(setting.kind, "kind of setting");
  }
}

/** What may be written behind a number, with its worth in the unit without it. */
const multiples: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  bytes: { KiB, MiB, GiB },
  "bytes/s": { KiB, MiB, GiB },
  ms: { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS },
};

/** Whether numbers of this unit may have a greater one behind them. */
export function hasMultiples(unit: string): boolean {
  return unit in multiples;
}

/** A number in the greatest unit that holds it without a rest, as `readInteger` takes it: 67108864 bytes are `64MiB`. */
export function withMultiple(value: number, unit: string): string {
  const fitting = Object.entries(multiples[unit] ?? {}).filter(
    ([, worth]) => value !== 0 && value % worth === 0,
  );
  const [name, worth] = fitting.at(-1) ?? ["", 1];
  return name === "ms" ? String(value) : `${value / worth}${name}`;
}

/** A whole number; one of bytes or milliseconds may have a greater unit behind it: `64MiB`, `10s`. */
function readInteger(text: string, unit: string): TextValue {
  const [, digits, multiple = ""] = /^(-?\d{1,15})([A-Za-z]*)$/.exec(text) ?? [];
  const factor = multiple === "" ? 1 : multiples[unit]?.[multiple];
  if (digits === undefined || factor === undefined) {
    const names = Object.keys(multiples[unit] ?? {});
    return { problem: `must be an integer${names.length === 0 ? "" : `, or one with ${orList(names)}`}` };
  }
  return { value: Number(digits) * factor };
}

/**
 * As an integer of `unit`, for flags whose names do not say the unit: so it has to be written.
 *
 * @param example such as `32MiB`
 */
export function withUnit(unit: "bytes" | "ms", example: string): TextReader {
  const names = Object.keys(multiples[unit] ?? {});
  return (text) =>
    /[A-Za-z]$/.test(text) && "value" in readInteger(text, unit)
      ? readInteger(text, unit)
      : { problem: `must be a number with ${orList(names)}, as ${example}` };
}

function orList(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function readNumber(text: string): TextValue {
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? { value: Number(text) } : { problem: "must be a number" };
}

function readBoolean(text: string): TextValue {
  switch (text) {
    case "true":
    case "1":
      return { value: true };
    case "false":
    case "0":
      return { value: false };
    default:
      return { problem: "must be true or false" };
  }
}

/** What stands between commas, without the spaces around it. */
function partsOf(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

/** `NAME=VALUE` each. */
function readMap(text: string): TextValue {
  const values = new Map<string, string>();
  for (const pair of partsOf(text)) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    const value = pair.slice(at + 1).trim();
    if (at < 0 || name === "" || name === "__proto__" || value === "") {
      return { problem: "must be NAME=VALUE" };
    }
    if (values.has(name)) {
      return { problem: `gives ${name} twice` };
    }
    values.set(name, value);
  }
  return { value: Object.fromEntries(values) };
}

function readJson(text: string): TextValue {
  try {
    return { value: parseJson(text) };
  } catch {
    return { problem: "must be JSON" };
  }
}
