import type { z } from "zod";
import { type Origins, configError, describeIssues } from "./issue.ts";
import type { ProgramSettings } from "./program-settings.ts";

const nobody: Origins = new Map();

/**
 * Checks a configuration against its schema and fills in the defaults.
 *
 * @param origins who gave which value; default: nobody knows
 * @throws RdbError RDB_CONFIG_INVALID naming each wrong field with its value and the limit
 */
export function checkInput<Schema extends z.ZodType>(
  schema: Schema,
  settings: ProgramSettings,
  input: unknown,
  origins: Origins = nobody,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw configError(describeIssues(settings, parsed.error.issues, input, origins));
  }
  return parsed.data;
}
