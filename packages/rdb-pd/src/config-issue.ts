import type { z } from "zod";

/** What is wrong with a configuration, as one clause: the field, its value and the limit. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const field = issue.path.map(String).join(".") || "configuration";
  const value = valueAt(input, issue.path);
  const shown = value === undefined ? field : `${field} ${JSON.stringify(value)}`;
  switch (issue.code) {
    case "unrecognized_keys": {
      const prefix = issue.path.length === 0 ? "" : `${field}.`;
      return issue.keys.map((key) => `${prefix}${key} is no known field`).join("; ");
    }
    case "invalid_type":
      return value === undefined ? `${field} is missing` : `${shown} must be of type ${issue.expected}`;
    case "too_small":
      return `${shown} must ${lengthOrValue(issue.origin)} >= ${issue.minimum}`;
    case "too_big":
      return `${shown} must ${lengthOrValue(issue.origin)} <= ${issue.maximum}`;
    case "invalid_value":
      return `${shown} must be one of ${issue.values.map(String).join(", ")}`;
    default:
      return `${shown} ${issue.message}`;
  }
}

function lengthOrValue(origin: string): string {
  return origin === "string" || origin === "array" ? "have a length" : "be";
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
