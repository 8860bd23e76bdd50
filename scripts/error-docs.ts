import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCodes } from "../packages/rdb-base/src/error-codes.ts";
import { root } from "./source-files.ts";

const INTRODUCTION = `# Errors

Every error that FlareDB's packages throw is an \`RdbError\`. Its \`code\` is one of these and stable: match on it,
never on the message, which says what failed, with which value, and what to do.

"Write" says what the error promises about a write: it was not applied and never will be, or nobody knows.
A write of the SDK is applied once, however often it is sent, so \`unknown\` means once or not at all: how it is
sent again, and for how long that is safe, is in [the SDK's README](../packages/rdb-client/README.md#writes-that-are-sent-again).

Written by \`npm run docs:errors\` from \`packages/rdb-base/src/error-codes.ts\`; a test compares the two.
`;

/** docs/errors.md as the table of error codes makes it. */
export function renderErrorDocs(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { write, meaning }]) => `| \`${code}\` | ${meaning} | ${write} |`,
  );
  return `${INTRODUCTION}\n| Code | Meaning | Write |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

if (import.meta.main) {
  writeFileSync(join(root, "docs", "errors.md"), renderErrorDocs());
}
