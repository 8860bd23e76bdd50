import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type AuditException, judgeAudit, parseAudit } from "./audit-report.ts";

const report = JSON.stringify({
  advisories: {
    7: {
      ...{ github_advisory_id: "GHSA-1", module_name: "a", severity: "high", title: "it leaks" },
      url: "https://x",
    },
  },
});
const exception = { id: "GHSA-1", package: "a", reason: "not reached", until: "2030-01-01" };

test("what is no report says nothing of the dependencies", () => {
  for (const text of [
    "",
    "404 Not Found",
    "{}",
    '{"error":{"code":"ERR_PNPM_AUDIT_ENDPOINT_NOT_EXISTS"}}',
    "null",
  ]) {
    expect(parseAudit(text)).toBeUndefined();
  }
  expect(parseAudit('{"advisories":{}}')).toEqual([]);
});

test.each<[string, AuditException[], string, number]>([
  ["without an exception", [], "2029-01-01", 1],
  ["with one", [exception], "2029-01-01", 0],
  ["with one that is over", [exception], "2030-01-02", 1],
  ["with one of another package", [{ ...exception, package: "b" }], "2029-01-01", 1],
])("an advisory %s", (_what, exceptions, today, count) => {
  const { findings, passedOver } = judgeAudit(parseAudit(report) ?? [], { exceptions }, today);
  expect(findings).toHaveLength(count);
  expect(passedOver).toHaveLength(1 - count);
});

test("each exception that is in force has a reason and an end", () => {
  const { exceptions } = JSON.parse(
    readFileSync(new URL("audit-exceptions.json", import.meta.url), "utf8"),
  ) as { readonly exceptions: readonly AuditException[] };
  for (const { reason, until } of exceptions) {
    expect(reason.length).toBeGreaterThan(10);
    expect(until).toMatch(/^\d{4}-\d\d-\d\d$/);
  }
});
