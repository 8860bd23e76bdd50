import { endpoints } from "../packages/rdb-pd/src/http/api/endpoints.ts";
import { openApiDocument } from "../packages/rdb-pd/src/http/api/openapi.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly description?: string;
  readonly $ref?: string;
}

const HEAD = `// What PD's admin API answers with. Written by \`npm run docs:admin\` from its schemas; never edited by hand.
`;

/** The named types of the admin API as TypeScript, for the dashboard. */
export function renderDashboardTypes(): string {
  const { components } = openApiDocument(endpoints) as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const types = Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, schema]) => schema.properties !== undefined)
    .map(
      ([name, schema]) =>
        `${comment(schema.description, "")}export interface ${name} ${objectOf(schema, "")}\n`,
    );
  return `${HEAD}\n${types.join("\n")}`;
}

function objectOf({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, field]) => {
    const mark = required.includes(name) ? "" : "?";
    return `${comment(field.description, inner)}${inner}readonly ${name}${mark}: ${typeOf(field, inner)};\n`;
  });
  return `{\n${fields.join("")}${indent}}`;
}

function comment(description: string | undefined, indent: string): string {
  return description === undefined ? "" : `${indent}/** ${description} */\n`;
}

function typeOf(schema: Schema, indent: string): string {
  const { $ref, enum: values, anyOf, oneOf, items, additionalProperties, properties } = schema;
  if ($ref !== undefined) {
    return $ref.split("/").at(-1) ?? "unknown";
  }
  if (values !== undefined || schema.const !== undefined) {
    return (values ?? [schema.const]).map((value) => JSON.stringify(value)).join(" | ");
  }
  const variants = anyOf ?? oneOf;
  if (variants !== undefined) {
    return variants.map((variant) => typeOf(variant, indent)).join(" | ");
  }
  if (items !== undefined) {
    return `readonly (${typeOf(items, indent)})[]`;
  }
  if (properties !== undefined) {
    return objectOf(schema, indent);
  }
  if (typeof additionalProperties === "object") {
    return `Readonly<Record<string, ${typeOf(additionalProperties, indent)}>>`;
  }
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return types.map((type) => plainTypes[type] ?? "unknown").join(" | ") || "unknown";
}

const plainTypes: Readonly<Record<string, string>> = {
  integer: "number",
  number: "number",
  string: "string",
  boolean: "boolean",
  null: "null",
};
