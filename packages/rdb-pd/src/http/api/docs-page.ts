import { type ErrorCode, errorCodes } from "@flaredb/rdb-base";
import { PROGRAM_VERSION } from "../../version.ts";
import { documentedStatuses } from "./documented-statuses.ts";
import type { Endpoint } from "./endpoint.ts";
import { type FieldRow, fieldsOf, namedTypes, typeName } from "./field-rows.ts";
import { statusOf } from "./problem.ts";
import { statusMeanings } from "./status-meanings.ts";

/** Nothing is fetched from anywhere, and nothing runs. */
export const DOCS_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid var(--line); padding-top: .5rem; margin-top: 1.5rem; overflow-wrap: anywhere; }
code { background: var(--soft); padding: .1em .3em; border-radius: 4px; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9em; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
`;

/** The API for people: one page, made of the same endpoints as the OpenAPI document. */
export function docsPage(endpoints: readonly Endpoint[]): string {
  const tags = [...new Set(endpoints.map(({ tag }) => tag))];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>FlareDB placement driver: admin API</title><style>${STYLE}</style></head><body><main>
<h1>FlareDB placement driver: admin API</h1>
<p>Version ${text(PROGRAM_VERSION)}. The same for programs: <a href="openapi.json">OpenAPI 3.1</a>.</p>
<nav aria-label="Contents"><ul>${tags.map((tag) => `<li><a href="#${tag}">${tag}</a>`).join("")}<li><a href="#types">types</a><li><a href="#errors">errors</a></ul></nav>
${tags
  .map(
    (tag) =>
      `<h2 id="${tag}">${tag}</h2>${endpoints
        .filter((each) => each.tag === tag)
        .map(section)
        .join("")}`,
  )
  .join("\n")}
<h2 id="types">types</h2>${types(endpoints)}
<h2 id="errors">errors</h2>${table(["Code", "Status", "Meaning"], errorRows())}
</main></body></html>
`;
}

function section(endpoint: Endpoint): string {
  const { id, method, path, summary, description, params, query, body } = endpoint;
  const inputs = [...fieldsOf("path", params), ...fieldsOf("query", query), ...fieldsOf("body", body)];
  return `<section id="${id}"><h3><code>${method} /api/v1${text(path)}</code></h3><p>${text(summary)}.${
    description === undefined ? "" : ` ${text(description)}`
  }</p>
${inputs.length === 0 ? "" : table(["Field", "In", "Type", "Meaning"], inputs.map(inputRow))}
${table(
  ["Status", "Meaning"],
  documentedStatuses(endpoint).map((status) => [String(status), text(statusMeanings[status] ?? "")]),
)}
${answer(endpoint)}</section>`;
}

function answer(endpoint: Endpoint): string {
  const name = typeName(endpoint.answer);
  return name === undefined
    ? `<p>Answer: ${text(endpoint.mediaType ?? "JSON")}.</p>`
    : `<p>Answer: <a href="#type-${name}">${name}</a>.</p>`;
}

function types(endpoints: readonly Endpoint[]): string {
  return [...namedTypes(endpoints)]
    .map(
      ([name, fields]) =>
        `<section id="type-${name}"><h3>${name}</h3>${table(["Field", "Type", "Meaning"], fields.map(answerRow))}</section>`,
    )
    .join("");
}

function inputRow({ name, place, type, isRequired, meaning }: FieldRow): string[] {
  return [code(name), `${place}${isRequired ? "" : ", optional"}`, text(type), text(meaning)];
}

function answerRow({ name, type, isRequired, meaning }: FieldRow): string[] {
  return [code(name), `${text(type)}${isRequired ? "" : ", optional"}`, text(meaning)];
}

function errorRows(): string[][] {
  return (Object.keys(errorCodes) as ErrorCode[]).map((name) => [
    `<code id="${name}">${name}</code>`,
    String(statusOf(name)),
    text(errorCodes[name].meaning),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const body = rows.map((row) => line(row, "td")).join("\n");
  return `<div class="table"><table><thead>${line(head, "th")}</thead><tbody>${body}</tbody></table></div>`;
}

function code(name: string): string {
  return `<code>${text(name)}</code>`;
}

function text(raw: string): string {
  return raw
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
