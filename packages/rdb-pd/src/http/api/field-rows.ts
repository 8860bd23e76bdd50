import { z } from "zod";

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

/** The schema's fields, outer ones first; none without a schema. */
export function fieldsOf(place: FieldRow["place"], schema: z.ZodType | undefined): FieldRow[] {
  if (schema === undefined) {
    return [];
  }
  const io = place === "body" ? "input" : "output";
  return rowsOf(place, z.toJSONSchema(schema, { io, reused: "inline" }) as Schema, "", new Map());
}

function rowsOf(
  place: FieldRow["place"],
  schema: Schema & { readonly $defs?: Readonly<Record<string, Schema>> },
  prefix: string,
  outer: ReadonlyMap<string, Schema>,
): FieldRow[] {
  const defs = new Map([...outer, ...Object.entries(schema.$defs ?? {})]);
  const whole = resolved(schema, defs);
  const variants = whole.oneOf ?? whole.anyOf;
  if (variants !== undefined) {
    return variants.flatMap((variant) => rowsOf(place, variant, prefix, defs));
  }
  return Object.entries(whole.properties ?? {}).flatMap(([name, raw]) => {
    const field = resolved(raw, defs);
    const row: FieldRow = {
      name: `${prefix}${name}`,
      place,
      type: typeOf(field, defs),
      isRequired:
        place === "path" || (whole.required?.includes(name) === true && field.default === undefined),
      meaning: [raw.description ?? field.description ?? "", defaultOf(field)].filter(Boolean).join(" "),
    };
    const items = field.items === undefined ? undefined : resolved(field.items, defs);
    return items === undefined
      ? [row, ...rowsOf(place, field, `${prefix}${name}.`, defs)]
      : [row, ...rowsOf(place, items, `${prefix}${name}[].`, defs)];
  });
}

function defaultOf(field: Schema): string {
  return field.default === undefined ? "" : `Default: ${JSON.stringify(field.default)}.`;
}

function typeOf(schema: Schema, defs: ReadonlyMap<string, Schema>): string {
  const { type, anyOf, oneOf, items, additionalProperties } = schema;
  if (schema.const !== undefined || schema.enum !== undefined) {
    return [schema.const, ...(schema.enum ?? [])]
      .filter((each) => each !== undefined)
      .map(String)
      .join(", ");
  }
  const variants = anyOf ?? oneOf;
  if (variants !== undefined) {
    return [...new Set(variants.map((each) => typeOf(resolved(each, defs), defs)))].join(" or ");
  }
  if (items !== undefined) {
    return `list of ${typeOf(resolved(items, defs), defs)}`;
  }
  if (typeof additionalProperties === "object") {
    return `${typeOf(resolved(additionalProperties, defs), defs)} by name`;
  }
  return typeof type === "string" ? type : (type ?? ["any"]).join(" or ");
}

function resolved(schema: Schema, defs: ReadonlyMap<string, Schema>): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined
    ? schema
    : { ...defs.get(name), ...(schema.description === undefined ? {} : { description: schema.description }) };
}
