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
    value = JSON.parse(readFileSync(path, "utf8"));
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

/** Whether it has fields: no list, no plain value. */
export function isFields(value: unknown): value is ConfigFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
