import type { z } from "zod";

/** What a configuration is found wrong by, as one clause: the field, its value and the limit. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const field = issue.path.map(String).join(".") || "configuration";
  const value = valueAt(input, issue.path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const prefix = issue.path.length === 0 ? "" : `${field}.`;
      return issue.keys.map((key) => `${prefix}${key} is no known field`).join("; ");
    }
    case "invalid_type":
      return value === undefined
        ? `${field} is missing`
        : `${field} ${show(value)} must be ${typeName(issue.expected)}`;
    case "too_small":
      return `${field} ${show(value)} must ${sizeVerb(issue.origin)} >= ${issue.minimum}`;
    case "too_big":
      return `${field} ${show(value)} must ${sizeVerb(issue.origin)} <= ${issue.maximum}`;
    case "invalid_value":
      return `${field} ${show(value)} must be one of ${issue.values.map(String).join(", ")}`;
    default:
      return `${field} ${show(value)} ${issue.message}`;
  }
}

function sizeVerb(origin: string): string {
  return origin === "string" || origin === "array" ? "have a length" : "be";
}

function typeName(expected: string): string {
  return expected === "int" ? "an integer" : `of type ${expected}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) {
      return undefined;
    }
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A default that broke a cross-field rule was not written by anyone, so it has no value to show. */
function show(value: unknown): string {
  return value === undefined ? "(default)" : JSON.stringify(value);
}
