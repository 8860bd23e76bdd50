import { readFileSync } from "node:fs";
import { RdbError } from "@flaredb/rdb-base";

/** The fields of a config file. */
export type ConfigFields = Readonly<Record<string, unknown>>;

/**
 * Reads a config file: one JSON object.
 *
 * @throws RdbError RDB_CONFIG_INVALID when it cannot be read, or is none
 */
export function readConfigFile(path: string): ConfigFields {
  let value: unknown;
  try {
    value = parseJson(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = (error as Error).message;
    throw new RdbError("RDB_CONFIG_INVALID", `config file ${path} cannot be read: ${reason}`, {
      cause: error,
    });
  }
  if (!isFields(value)) {
    throw new RdbError("RDB_CONFIG_INVALID", `config file ${path} must hold one JSON object`);
  }
  return value;
}

/**
 * Reads JSON, with or without the mark that some editors write before it.
 *
 * @throws SyntaxError when it is none; or has a field `__proto__`, which would hide fields from every check that follows
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, ""), (key, value: unknown) => {
    if (key === "__proto__") {
      throw new SyntaxError("__proto__ is no known field");
    }
    return value;
  });
}

/** Whether it has fields: no list, no plain value. */
export function isFields(value: unknown): value is ConfigFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
