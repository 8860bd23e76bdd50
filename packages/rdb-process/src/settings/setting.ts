import { assert } from "@flaredb/rdb-base";
import { z } from "zod";

/** How a setting's value is written as text, in the environment and on the command line. */
type SettingKind = "integer" | "number" | "boolean" | "text" | "list" | "map" | "json";

/** When a changed value takes effect. */
export type SettingChange =
  /** At the next start. */
  | "restart"
  /** At once: the config file is read again on SIGHUP. */
  | "SIGHUP"
  /** It is read at the very first start alone; then the cluster remembers what was made of it. */
  | "first start"
  /** At the next start; or at once by `rdb scheduler config`, whose word goes before, for all members of the cluster. */
  | "rdb scheduler config";

/** One field of a process's configuration. */
export interface Setting {
  /** As in the config file, dots between the levels: `raft.maxInflightBytes`. */
  readonly name: string;
  readonly path: readonly string[];
  readonly kind: SettingKind;
  /** Of its number; "" for what is none. */
  readonly unit: string;
  readonly description: string;
  readonly change: SettingChange;
  /** Its value is never shown. */
  readonly isSecret: boolean;
  readonly isRequired: boolean;
  /** undefined: it has none. */
  readonly defaultValue: unknown;
}

/** What a schema says of its field beside its type and its default, for `.meta()`. */
export interface SettingMeaning {
  /** A sentence. */
  readonly description: string;
  /** Default: by the end of the field's name, such as `Ms` or `Bytes`. */
  readonly unit?: string;
  /** Of an object: of all its fields. Default: "restart". */
  readonly change?: SettingChange;
  readonly isSecret?: boolean;
}

/** A field's meaning, as `.meta()` takes it: typed, so that no word of it is misspelt. */
export function about(description: string, more: Omit<SettingMeaning, "description"> = {}): z.GlobalMeta {
  return { description, ...more };
}

/** All settings of a schema, in its order; those of inner objects under the inner object's name. */
export function settingsOf(schema: z.ZodObject): Setting[] {
  return fieldsOf(schema, [], "restart");
}

/** @param change of those that say nothing of it themselves: what the object around them says */
function fieldsOf(schema: z.ZodObject, path: readonly string[], change: SettingChange): Setting[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const { type, ...rest } = unwrap(field);
    const at = [...path, key];
    const meaning = { change, ...rest.meaning };
    return type instanceof z.ZodObject
      ? fieldsOf(type, at, meaning.change)
      : [settingOf(at, { ...rest, type, meaning })];
  });
}

function settingOf(path: readonly string[], field: Unwrapped): Setting {
  const { description, unit, change = "restart", isSecret } = field.meaning;
  const name = path.join(".");
  assert(description !== undefined, `setting ${name} has a description`);
  const kind = kindOf(field.type);
  return {
    ...{ name, path, kind, description },
    unit: unit ?? (kind === "integer" || kind === "number" ? unitOfName(name) : ""),
    change,
    isSecret: isSecret === true,
    isRequired: !field.mayBeMissing,
    defaultValue: field.defaultValue,
  };
}

interface Unwrapped {
  readonly type: z.core.$ZodType;
  readonly meaning: Partial<SettingMeaning>;
  readonly mayBeMissing: boolean;
  readonly defaultValue: unknown;
}

/** A field without what says that it may be missing. */
function unwrap(field: z.core.$ZodType): Unwrapped {
  // Written by `about`, which is typed.
  const meaning = (z.globalRegistry.get(field) ?? {}) as Partial<SettingMeaning>;
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) {
    const inner = unwrap(field.def.innerType);
    const { defaultValue } = field.def;
    return { ...inner, meaning: { ...inner.meaning, ...meaning }, mayBeMissing: true, defaultValue };
  }
  if (field instanceof z.ZodOptional) {
    const inner = unwrap(field.def.innerType);
    return { ...inner, meaning: { ...inner.meaning, ...meaning }, mayBeMissing: true };
  }
  return { type: field, meaning, mayBeMissing: false, defaultValue: undefined };
}

function kindOf(type: z.core.$ZodType): SettingKind {
  if (type instanceof z.ZodNumber) {
    return type.format === "safeint" ? "integer" : "number";
  }
  if (type instanceof z.ZodBoolean) {
    return "boolean";
  }
  if (type instanceof z.ZodString || type instanceof z.ZodEnum) {
    return "text";
  }
  if (type instanceof z.ZodArray && type.element instanceof z.ZodString) {
    return "list";
  }
  return type instanceof z.ZodRecord ? "map" : "json";
}

/** The longer end first. */
const unitsOfNames = [
  ["BytesPerSecond", "bytes/s"],
  ["KeysPerSecond", "keys/s"],
  ["Bytes", "bytes"],
  ["Ms", "ms"],
  ["Ticks", "ticks"],
  ["Percent", "%"],
] as const;

/** Units stand at the end of names. */
function unitOfName(name: string): string {
  return unitsOfNames.find(([end]) => name.endsWith(end))?.[1] ?? "";
}
