import {
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
  create,
  toBinary,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Random, assertNever } from "@flaredb/rdb-base";

/** What is likely to mean something to whoever reads the message; drawn beside the extremes. */
export interface FuzzHints {
  /** Ids, terms, indexes and versions that exist. */
  readonly numbers?: readonly bigint[];
  /** Keys, and encoded messages that others carry. */
  readonly bytes?: readonly Uint8Array[];
  readonly texts?: readonly string[];
  /** Values of the fields of this name (`cluster_id`), always; so that a message gets past the first check. */
  readonly fixed?: Readonly<Record<string, bigint>>;
}

/** Nested messages end here. */
const DEPTH_MAX = 6;
/** One message, with all that is in it. */
const FIELDS_MAX_COUNT = 2_000;
const LIST_LENGTHS = [0, 1, 1, 2, 3, 20, 200];
/** Bytes and texts of this length are drawn seldom: they make a test slow, and prove the same each time. */
const LARGE_BYTES = 4 * 1024 * 1024;
const LARGE_ONE_IN = 2_000;

const EXTREMES = [
  ...[0n, 1n, 2n, 3n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 53n - 2n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];
const FLOATS = [0, -0, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324];
const TEXTS = [
  "",
  "0",
  "-1",
  "NaN",
  "null",
  "__proto__",
  "constructor",
  "../../../etc/passwd",
  "\u0000",
  "\ud83d\udca5",
];
const TEXT_LENGTHS = [255, 4_097, 65_536];
const BYTE_LENGTHS = [0, 0, 1, 1, 2, 8, 64, 4_096, 4_097];

/**
 * Valid messages with absurd fields, made from their descriptors: every type of the schema, extremes of every kind,
 * unknown enum values, lists with the same element twice, and what the hints say is real. The same seed, the same
 * messages.
 */
export class ProtoFuzzer {
  readonly #random: Random;
  readonly #hints: FuzzHints;
  #fieldCount = 0;

  constructor(random: Random, hints: FuzzHints = {}) {
    this.#random = random;
    this.#hints = hints;
  }

  message<Desc extends DescMessage>(desc: Desc): Message {
    this.#fieldCount = 0;
    return this.#message(desc, 0).message;
  }

  /** A message's bytes: mostly whole, now and then cut short or with some bytes changed. */
  bytes(desc: DescMessage): Uint8Array {
    const whole = toBinary(desc, this.message(desc));
    switch (this.#random.nextInt(8)) {
      case 0:
        return whole.subarray(0, this.#random.nextInt(whole.length + 1));
      case 1:
        return this.#changed(whole);
      default:
        return whole;
    }
  }

  /** No message of anything, but by chance. */
  noise(maxBytes: number): Uint8Array {
    return Uint8Array.from({ length: this.#random.nextInt(maxBytes + 1) }, () => this.#random.nextInt(256));
  }

  #changed(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes);
    for (let left = 1 + this.#random.nextInt(8); left > 0 && copy.length > 0; left--) {
      copy[this.#random.nextInt(copy.length)] = this.#random.nextInt(256);
    }
    return copy;
  }

  #message(desc: DescMessage, depth: number): ReflectMessage {
    const message = reflect(desc, create(desc));
    for (const field of desc.fields) {
      const isFixed = this.#hints.fixed?.[field.name] !== undefined;
      if ((isFixed || this.#random.nextInt(4) !== 0) && this.#fieldCount < FIELDS_MAX_COUNT) {
        this.#fieldCount++;
        this.#set(message, field, depth);
      }
    }
    return message;
  }

  #set(message: ReflectMessage, field: DescField, depth: number): void {
    switch (field.fieldKind) {
      case "scalar":
        message.set(field, this.#scalar(field.scalar, field.name));
        return;
      case "enum":
        message.set(field, this.#enumValue(field.enum.values.length));
        return;
      case "message":
        if (depth < DEPTH_MAX) {
          message.set(field, this.#message(field.message, depth + 1));
        }
        return;
      case "list":
        this.#fill(message, field, depth);
        return;
      case "map": {
        const map = message.get(field);
        for (let left = this.#length(); left > 0; left--) {
          if (field.mapKind === "scalar") {
            map.set(this.#scalar(field.mapKey, field.name) as string, this.#scalar(field.scalar, field.name));
          }
        }
        return;
      }
      default:
        assertNever(field, "kind of field");
    }
  }

  #fill(message: ReflectMessage, field: DescField & { readonly fieldKind: "list" }, depth: number): void {
    const list = message.get(field);
    const isNested = field.listKind === "message";
    const length = isNested && depth >= DEPTH_MAX ? 0 : this.#length();
    for (let at = 0; at < length && this.#fieldCount < FIELDS_MAX_COUNT; at++) {
      this.#fieldCount++;
      if (at > 0 && this.#random.nextInt(4) === 0) {
        // The same one again.
        list.add(list.get(this.#random.nextInt(at)));
      } else if (field.listKind === "message") {
        list.add(this.#message(field.message, depth + 1));
      } else if (field.listKind === "enum") {
        list.add(this.#enumValue(field.enum.values.length));
      } else {
        list.add(this.#scalar(field.scalar, field.name));
      }
    }
  }

  #length(): number {
    return this.#one(LIST_LENGTHS);
  }

  /** Mostly one of the schema's. Enums are open: a newer program's values arrive as they are. */
  #enumValue(knownCount: number): number {
    return this.#random.nextInt(8) === 0
      ? this.#one([-1, 99, 2 ** 31 - 1])
      : this.#random.nextInt(knownCount);
  }

  #scalar(type: ScalarType, name: string): bigint | number | boolean | string | Uint8Array {
    const fixed = this.#hints.fixed?.[name];
    switch (type) {
      case ScalarType.UINT64:
      case ScalarType.FIXED64:
        return fixed ?? this.#number();
      case ScalarType.INT64:
      case ScalarType.SINT64:
      case ScalarType.SFIXED64:
        return BigInt.asIntN(64, this.#number());
      case ScalarType.UINT32:
      case ScalarType.FIXED32:
        return Number(BigInt.asUintN(32, fixed ?? this.#number()));
      case ScalarType.INT32:
      case ScalarType.SINT32:
      case ScalarType.SFIXED32:
        return Number(BigInt.asIntN(32, this.#number()));
      case ScalarType.DOUBLE:
      case ScalarType.FLOAT:
        return Math.fround(this.#one(FLOATS));
      case ScalarType.BOOL:
        return this.#random.nextInt(2) === 0;
      case ScalarType.STRING:
        return this.#text();
      case ScalarType.BYTES:
        return this.#someBytes();
      default:
        return assertNever(type, "type of scalar");
    }
  }

  #number(): bigint {
    const { numbers = [] } = this.#hints;
    const isReal = numbers.length > 0 && this.#random.nextInt(2) === 0;
    const drawn = isReal ? this.#one(numbers) + BigInt(this.#one([0, 0, 0, 1, 2])) : this.#one(EXTREMES);
    return BigInt.asUintN(64, drawn);
  }

  #text(): string {
    const { texts = [] } = this.#hints;
    if (texts.length > 0 && this.#random.nextInt(3) === 0) {
      return this.#one(texts);
    }
    return this.#random.nextInt(8) === 0 ? "x".repeat(this.#one(TEXT_LENGTHS)) : this.#one(TEXTS);
  }

  #someBytes(): Uint8Array {
    const { bytes = [] } = this.#hints;
    if (bytes.length > 0 && this.#random.nextInt(2) === 0) {
      return this.#one(bytes);
    }
    if (this.#random.nextInt(LARGE_ONE_IN) === 0) {
      return new Uint8Array(LARGE_BYTES);
    }
    return new Uint8Array(this.#one(BYTE_LENGTHS)).fill(this.#random.nextInt(256));
  }

  #one<Value>(of: readonly Value[]): Value {
    return of[this.#random.nextInt(of.length)] as Value;
  }
}
