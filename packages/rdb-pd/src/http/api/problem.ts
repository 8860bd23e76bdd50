import { type ErrorCode, RdbError, assertNever, errorCodes } from "@flaredb/rdb-base";
import { z } from "zod";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** RFC 9457, with our stable code. */
export const problemSchema = z
  .strictObject({
    type: z.string().describe("A page about the code, below this API."),
    title: z.string().describe("What the code means."),
    status: z.int().describe("The HTTP status again."),
    detail: z.string().describe("What failed, with which value, and what to do."),
    code: z.string().describe("Stable: match on this. See docs/errors.md."),
    errors: z
      .array(z.strictObject({ field: z.string(), message: z.string() }))
      .optional()
      .describe("Each field that is wrong."),
    leader: z
      .strictObject({ memberId: z.int(), address: z.string(), httpAddress: z.string() })
      .optional()
      .describe("The member of PD that leads, if this one does not and knows it."),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details." });

export type Problem = z.output<typeof problemSchema>;

/** One field of a request that is wrong. */
export type FieldError = NonNullable<Problem["errors"]>[number];

/** A request that its schemas refuse. @param errors at least one */
export function invalidInput(errors: readonly FieldError[]): RdbError {
  const message = errors.map(({ field, message }) => `${field} ${message}`).join("; ");
  return new RdbError("RDB_INVALID_ARGUMENT", message, { details: { errors } });
}

/** As answered, save for `leader`. @param status where HTTP has a more exact one than the code */
export function problemOf(error: RdbError, status: number = statusOf(error.code)): Problem {
  const errors = fieldErrors(error);
  return {
    type: `/api/v1/docs#${error.code}`,
    title: errorCodes[error.code].meaning,
    status,
    detail: error.message,
    code: error.code,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function fieldErrors({ code, message, details }: RdbError): FieldError[] {
  const { errors, field } = details;
  if (Array.isArray(errors)) {
    return errors as FieldError[];
  }
  return code === "RDB_INVALID_ARGUMENT" && typeof field === "string"
    ? [{ field: camelCase(field), message }]
    : [];
}

/** The field as this API names it: RPC says `store_id`. */
function camelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** Exactly one status for each code. RDB_NOT_LEADER is 307 where the leader is known, see redirect.ts. */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case "RDB_INVALID_ARGUMENT":
    case "RDB_CONFIG_INVALID":
      return 400;
    case "RDB_UNAUTHENTICATED":
      return 401;
    case "RDB_PERMISSION_DENIED":
      return 403;
    case "RDB_NOT_FOUND":
      return 404;
    case "RDB_ALREADY_EXISTS":
    case "RDB_EPOCH_NOT_MATCH":
    case "RDB_ADDRESS_IN_USE":
    case "RDB_STORE_DECOMMISSIONED":
    case "RDB_STORE_LOST":
    case "RDB_OPERATOR_CANCELLED":
    case "RDB_VERSION_TOO_OLD":
    case "RDB_CLUSTER_VERSION":
    case "RDB_CLUSTER_MISMATCH":
    case "RDB_STORE_NOT_MATCH":
    case "RDB_KEY_NOT_IN_REGION":
    case "RDB_SEQUENCE_CLOSED":
    case "RDB_REQUEST_EXPIRED":
      return 409;
    case "RDB_NOT_LEADER":
    case "RDB_REGION_NOT_FOUND":
    case "RDB_SERVER_IS_BUSY":
    case "RDB_CLUSTER_NOT_BOOTSTRAPPED":
    case "RDB_UNAVAILABLE":
    case "RDB_PD_UNAVAILABLE":
    case "RDB_CLOSED":
    case "RDB_DISK_FULL":
      return 503;
    // Whether it was done is unknown: nothing that a program would just try again.
    case "RDB_STALE_COMMAND":
    case "RDB_UNDETERMINED_RESULT":
    case "RDB_DEADLINE_EXCEEDED":
      return 504;
    case "RDB_ABORTED":
    case "RDB_DATA_LOCKED":
    case "RDB_DATA_FORMAT":
    case "RDB_DATA_FOREIGN":
    case "RDB_DATA_CORRUPT":
    case "RDB_STORAGE_FAILED":
    case "RDB_INTERNAL":
      return 500;
    default:
      return assertNever(code, "error code");
  }
}
