import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

/** A field of a request or an answer, for tables. */
export interface FieldRow {
  /** With its way from the outside: `stores[].id`. */
  readonly name: string;
  readonly place: "path" | "query" | "body" | "answer";
  readonly type: string;
  readonly isRequired: boolean;
  readonly meaning: string;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly $ref?: string;
}

/** The name under which documents for people describe the schema once. */
export function typeName(schema: z.ZodType): string | undefined {
  return schema.meta()?.id;
}

/** Every named schema of the endpoints' answers, and what those are made of, with its fields; by name. */
export function namedTypes(endpoints: readonly Endpoint[]): Map<string, FieldRow[]> {
  const named = new Map<string, FieldRow[]>();
  for (const { answer } of endpoints) {
    const { $defs = {} } = jsonSchemaOf("answer", answer);
    for (const [name, schema] of Object.entries($defs)) {
      named.set(name, rowsOf("answer", schema, ""));
    }
  }
  return new Map([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The schema's fields, outer ones first; those of named schemas within it stand with their names. */
export function fieldsOf(place: FieldRow["place"], schema: z.ZodType | undefined): FieldRow[] {
  if (schema === undefined) {
    return [];
  }
  const whole = jsonSchemaOf(place, schema);
  const name = whole.$ref?.split("/").at(-1);
  return rowsOf(place, name === undefined ? whole : (whole.$defs?.[name] ?? whole), "");
}

interface WholeSchema extends Schema {
  readonly $defs?: Readonly<Record<string, Schema>>;
}

function jsonSchemaOf(place: FieldRow["place"], schema: z.ZodType): WholeSchema {
  return z.toJSONSchema(schema, { io: place === "body" ? "input" : "output" }) as WholeSchema;
}

function rowsOf(place: FieldRow["place"], schema: Schema, prefix: string): FieldRow[] {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) {
    return variants.flatMap((variant) => rowsOf(place, variant, prefix));
  }
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const row: FieldRow = {
      name: `${prefix}${name}`,
      place,
      type: typeOf(field),
      isRequired:
        place === "path" || (schema.required?.includes(name) === true && field.default === undefined),
      meaning: [field.description ?? "", defaultOf(field)].filter(Boolean).join(" "),
    };
    return field.items === undefined
      ? [row, ...rowsOf(place, field, `${prefix}${name}.`)]
      : [row, ...rowsOf(place, field.items, `${prefix}${name}[].`)];
  });
}

function defaultOf(field: Schema): string {
  return field.default === undefined ? "" : `Default: ${JSON.stringify(field.default)}.`;
}

function typeOf(schema: Schema): string {
  const { type, anyOf, oneOf, items, additionalProperties, $ref } = schema;
  if ($ref !== undefined) {
    return $ref.split("/").at(-1) ?? "any";
  }
  if (schema.const !== undefined || schema.enum !== undefined) {
    return [schema.const, ...(schema.enum ?? [])]
      .filter((each) => each !== undefined)
      .map(String)
      .join(", ");
  }
  const variants = anyOf ?? oneOf;
  if (variants !== undefined) {
    return [...new Set(variants.map(typeOf))].join(" or ");
  }
  if (items !== undefined) {
    return `list of ${typeOf(items)}`;
  }
  if (typeof additionalProperties === "object") {
    return `${typeOf(additionalProperties)} by name`;
  }
  return typeof type === "string" ? type : (type ?? ["any"]).join(" or ");
}
