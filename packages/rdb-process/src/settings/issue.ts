import { RdbError } from "@flaredb/rdb-base";
import type { z } from "zod";
import { nearest } from "./nearest.ts";
import type { GivenSetting, ProgramSettings } from "./program-settings.ts";
import { type Origin, valueAt } from "./reading.ts";
import { hasMultiples } from "./text-value.ts";

/** Who may have given the values that are checked, so that what is wrong can be found. */
export type Origins = ReadonlyMap<string, Origin>;

/**
 * What is wrong with a configuration: each field with its value, the limit, and where it was written.
 *
 * @returns an RdbError RDB_CONFIG_INVALID; `details.problems` has the clauses one by one
 */
export function configError(problems: readonly string[]): RdbError {
  return new RdbError("RDB_CONFIG_INVALID", problems.join("; "), { details: { problems } });
}

/** The clauses of an error about a configuration. */
export function problemsOf(error: RdbError): readonly string[] {
  const { problems } = error.details;
  return Array.isArray(problems) ? problems.map(String) : [error.message];
}

/** What the schema found, in words. */
export function describeIssues(
  settings: ProgramSettings,
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  origins: Origins,
): string[] {
  return issues.flatMap((issue) => {
    const setting = settings.at(issue.path);
    const clauses =
      describeUnit(issue, input, setting) ?? describeIssue(issue, input, setting?.isSecret === true);
    const origin = setting === undefined ? undefined : origins.get(setting.name);
    if (issue.code === "unrecognized_keys") {
      return clauses.map((clause, at) => clause + hint(settings, [...issue.path, issue.keys[at] ?? ""]));
    }
    if (
      issue.code === "invalid_type" &&
      setting !== undefined &&
      valueAt(input, setting.path) === undefined
    ) {
      return clauses.map((clause) => `${clause}: give ${waysToGive(setting)}`);
    }
    return clauses.map((clause) => (origin === undefined ? clause : `${clause} (${origin.place})`));
  });
}

/** JSON has no units, so a text may stand where a number is meant, with one behind it. undefined: that is not it. */
function describeUnit(
  issue: z.core.$ZodIssue,
  input: unknown,
  setting: GivenSetting | undefined,
): string[] | undefined {
  const value = valueAt(input, issue.path);
  if (
    setting === undefined ||
    issue.code !== "invalid_type" ||
    typeof value !== "string" ||
    !hasMultiples(setting.unit)
  ) {
    return undefined;
  }
  const outcome = setting.read(value);
  const shown = setting.isSecret ? "(hidden)" : show(value);
  return "problem" in outcome ? [`${setting.name} ${shown} ${outcome.problem}`] : undefined;
}

function waysToGive({ flag, variable }: GivenSetting): string {
  return flag === undefined ? variable : `--${flag.name} or ${variable}`;
}

/** What was probably meant by an unknown field. */
function hint(settings: ProgramSettings, path: readonly PropertyKey[]): string {
  const known = settings.all.filter((setting) => setting.path.length >= path.length);
  const names = known.map((setting) => setting.path.slice(0, path.length).join("."));
  const meant = nearest(path.map(String).join("."), names);
  return meant === undefined ? "" : `: did you mean ${meant}?`;
}

/** What a schema found, as clauses: the field, its value and the limit. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown, isSecret = false): string[] {
  const field = issue.path.map(String).join(".") || "configuration";
  const value = valueAt(input, issue.path);
  const shown = `${field} ${isSecret ? "(hidden)" : show(value)}`;
  switch (issue.code) {
    case "unrecognized_keys": {
      const prefix = issue.path.length === 0 ? "" : `${field}.`;
      return issue.keys.map((key) => `${prefix}${key} is no known field`);
    }
    case "invalid_type":
      return [value === undefined ? `${field} is missing` : `${shown} must be ${typeName(issue.expected)}`];
    case "too_small":
      return [`${shown} must ${sizeVerb(issue.origin)} >= ${issue.minimum}`];
    case "too_big":
      return [`${shown} must ${sizeVerb(issue.origin)} <= ${issue.maximum}`];
    case "invalid_value":
      return [`${shown} must be one of ${issue.values.map(String).join(", ")}`];
    default:
      return [`${shown} ${issue.message}`];
  }
}

function sizeVerb(origin: string): string {
  return origin === "string" || origin === "array" ? "have a length" : "be";
}

function typeName(expected: string): string {
  return expected === "int" ? "an integer" : `of type ${expected}`;
}

/** A default that broke a cross-field rule was not written by anyone, so it has no value to show. */
function show(value: unknown): string {
  return value === undefined ? "(default)" : JSON.stringify(value);
}
