import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documentedStatuses } from "../packages/rdb-pd/src/http/api/documented-statuses.ts";
import type { Endpoint } from "../packages/rdb-pd/src/http/api/endpoint.ts";
import { endpoints } from "../packages/rdb-pd/src/http/api/endpoints.ts";
import { API_DESCRIPTION } from "../packages/rdb-pd/src/http/api/openapi.ts";
import { type FieldRow, fieldsOf, namedTypes, typeName } from "../packages/rdb-pd/src/http/api/field-rows.ts";
import { statusMeanings } from "../packages/rdb-pd/src/http/api/status-meanings.ts";
import { renderDashboardTypes } from "./dashboard-types.ts";
import { root } from "./source-files.ts";

const INTRODUCTION = `# Admin API of the placement driver

${API_DESCRIPTION}

A running PD has the same at \`http://127.0.0.1:7401/api/v1/docs\`, and for programs, as OpenAPI 3.1, at
\`/api/v1/openapi.json\`.

\`\`\`sh
curl http://127.0.0.1:7401/api/v1/cluster
curl -X POST http://127.0.0.1:7401/api/v1/operators -H 'content-type: application/json' \\
  -d '{"kind": "split", "regionId": 1, "keys": ["m"]}'
curl http://127.0.0.1:7401/api/v1/operators/history
curl -H "authorization: Bearer $(head -n 1 token)" http://10.0.0.1:7401/api/v1/stores
\`\`\`

Written by \`npm run docs:admin\` from the endpoints' schemas; a test compares the two.
`;

/** docs/admin-api.md as the endpoints of PD's admin API make it. */
export function renderAdminApiDocs(): string {
  const tags = [...new Set(endpoints.map(({ tag }) => tag))];
  const chapters = tags.map((tag) => {
    const sections = endpoints.filter((each) => each.tag === tag).map(section);
    return `## ${tag}\n\n${sections.join("\n")}`;
  });
  return `${INTRODUCTION}\n${statuses()}\n${chapters.join("\n")}\n${types()}`;
}

function statuses(): string {
  const rows = Object.entries(statusMeanings).map(([status, meaning]) => [status, meaning]);
  return `## Statuses\n\n${table(["Status", "Meaning"], rows)}`;
}

function types(): string {
  const sections = [...namedTypes(endpoints)].map(
    ([name, fields]) => `### ${name}\n\n${table(["Field", "Type", "Meaning"], fields.map(answerCells))}`,
  );
  return `## Types\n\n${sections.join("\n")}`;
}

function section(endpoint: Endpoint): string {
  const { method, path, summary, description, params, query, body, answer } = endpoint;
  const inputs = [...fieldsOf("path", params), ...fieldsOf("query", query), ...fieldsOf("body", body)];
  const name = typeName(answer);
  return [
    `### ${method} /api/v1${path}\n`,
    `${summary}.${description === undefined ? "" : ` ${description}`}\n`,
    `Statuses: ${documentedStatuses(endpoint).join(", ")}. Answer: ${name === undefined ? (endpoint.mediaType ?? "JSON") : `[${name}](#${name.toLowerCase()})`}.\n`,
    ...(inputs.length === 0 ? [] : [table(["Field", "In", "Type", "Meaning"], inputs.map(inputCells))]),
  ].join("\n");
}

function inputCells({ name, place, type, isRequired, meaning }: FieldRow): string[] {
  return [`\`${name}\``, `${place}${isRequired ? "" : ", optional"}`, type, meaning];
}

function answerCells({ name, type, isRequired, meaning }: FieldRow): string[] {
  return [`\`${name}\``, `${type}${isRequired ? "" : ", optional"}`, meaning];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return `${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}`;
}

if (import.meta.main) {
  writeFileSync(join(root, "docs", "admin-api.md"), renderAdminApiDocs());
  const generated = join(root, "packages", "rdb-dashboard", "src", "web", "api", "gen");
  mkdirSync(generated, { recursive: true });
  writeFileSync(join(generated, "types.ts"), renderDashboardTypes());
}
