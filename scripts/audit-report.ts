/** What the registry says of one weakness. */
export interface Advisory {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
}

/** An advisory that does not count, why, and until which day (YYYY-MM-DD). */
export interface AuditException {
  readonly id: string;
  readonly package: string;
  readonly reason: string;
  readonly until: string;
}

/** Reads pnpm's report. Undefined when it is none: the registry has no such endpoint, or did not answer. */
export function parseAudit(text: string): readonly Advisory[] | undefined {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof report !== "object" || report === null || !("advisories" in report)) {
    return undefined;
  }
  const { advisories } = report;
  if (typeof advisories !== "object" || advisories === null) {
    return undefined;
  }
  return Object.entries(advisories).map(([id, advisory]: [string, Readonly<Record<string, string>>]) => ({
    id: advisory["github_advisory_id"] ?? id,
    name: String(advisory["module_name"]),
    severity: String(advisory["severity"]),
    title: String(advisory["title"]),
    url: String(advisory["url"]),
  }));
}

/** Sorts out what is excepted. An exception that is over, or of another package, excepts nothing. */
export function judgeAudit(
  advisories: readonly Advisory[],
  { exceptions }: { readonly exceptions: readonly AuditException[] },
  today: string,
): { readonly findings: string[]; readonly passedOver: string[] } {
  const findings: string[] = [];
  const passedOver: string[] = [];
  for (const { id, name, severity, title, url } of advisories) {
    const line = `${name}: ${title} (${severity}, ${id}, ${url})`;
    const exception = exceptions.find((one) => one.id === id && one.package === name && one.until >= today);
    if (exception === undefined) {
      findings.push(line);
    } else {
      passedOver.push(`${line}: ${exception.reason}, until ${exception.until}`);
    }
  }
  return { findings, passedOver };
}
