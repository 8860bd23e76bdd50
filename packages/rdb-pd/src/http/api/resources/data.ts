import { formatKey, prefixRange } from "@flaredb/rdb-base";
import { z } from "zod";
import { toHex } from "../documents/region.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { invalidInput } from "../problem.ts";
import { bytesOfHex, count, digits, keyHex, keyOf, keyText } from "../schemas.ts";

const ROWS_MAX_COUNT = 200;
/** Regions without a row that one answer passes over. */
const REGIONS_MAX_COUNT = 16;
/** Of a value, unless it is asked for alone. */
const PREVIEW_MAX_BYTES = 2_048;

const pageSchema = z
  .strictObject({
    rows: z.array(
      z.strictObject({
        key: z.string(),
        keyHex: z.string(),
        version: count,
        sizeBytes: count.describe("Of the whole value."),
        valueBase64: z
          .string()
          .describe(`The value, of several rows its first ${PREVIEW_MAX_BYTES} bytes, as base64.`),
      }),
    ),
    nextKey: z.string().nullable().describe("`startKey` of the next page; null: that was all."),
    nextKeyHex: z.string().nullable(),
    isWritable: z.boolean().describe("Whether rows can be put and deleted here: PD's setting `dataAccess`."),
  })
  .meta({
    id: "DataPage",
    description:
      "Rows in the order of their keys. A page ends with its Region: it may be short, and empty where many Regions are.",
  });

const NO_KEY = new Uint8Array();

const WRITE_RULE =
  "Refused unless PD's setting `dataAccess` is `write`. It is one write, as any client's; with 504 its outcome is unknown.";
const EXPECT_RULE = "Only if the row has this version; 0: only if there is none. Default: whatever there is.";

const changeSchema = z
  .strictObject({
    succeeded: z
      .boolean()
      .describe(
        "Whether the row was changed: false where it is not as expected, or there was none to delete.",
      ),
    version: count.describe("Of the row after it: the new one, or the one that was met; 0: there is no row."),
  })
  .meta({ id: "RowChange" });

const rowBody = z
  .strictObject({
    key: keyText.optional(),
    keyHex: keyHex.optional(),
    value: z.string().optional().describe("As text, which is kept as UTF-8."),
    valueHex: z
      .string()
      .regex(/^([0-9a-fA-F]{2})*$/, "must be an even number of hexadecimal digits")
      .optional()
      .describe("The same as hexadecimal digits."),
    expectVersion: count.optional().describe(EXPECT_RULE),
  })
  .meta({ id: "Row" });

function requiredKey(text: string | undefined, hex: string | undefined): Uint8Array {
  const key = keyOf("key", text, hex);
  if (key === undefined) {
    throw invalidInput([{ field: "key", message: "or keyHex must be given" }]);
  }
  return key;
}

function valueOf({ value, valueHex }: z.output<typeof rowBody>): Uint8Array {
  if ((value === undefined) === (valueHex === undefined)) {
    throw invalidInput([{ field: "value", message: "or valueHex must be given, and not both" }]);
  }
  return valueHex === undefined ? new TextEncoder().encode(value) : bytesOfHex(valueHex);
}

export const dataEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/data",
    id: "listData",
    tag: "data",
    summary: "The users' rows, a page at a time",
    description: "Refused where PD's setting `dataAccess` is `off`. Each page is linearizable by itself.",
    access: "leader",
    refuses: ["RDB_REGION_NOT_FOUND"],
    query: z.strictObject({
      prefix: keyText.optional().describe("Only keys that begin so."),
      prefixHex: keyHex.optional().describe("The same as hexadecimal digits."),
      startKey: keyText.optional().describe("From this key on. Default: the prefix's first one."),
      startKeyHex: keyHex.optional().describe("The same as hexadecimal digits."),
      limit: digits(1, ROWS_MAX_COUNT).default(50).describe("Rows of one page."),
    }),
    answer: pageSchema,
    handle: async ({ query }, { data, dataWriter }) => {
      const prefix = keyOf("prefix", query.prefix, query.prefixHex) ?? NO_KEY;
      const range = prefixRange(prefix);
      const startKey = keyOf("startKey", query.startKey, query.startKeyHex) ?? range.startKey;
      let page = await data.scan({ startKey, endKey: range.endKey, limit: query.limit });
      for (
        let passed = 1;
        page.rows.length === 0 && page.nextKey !== undefined && passed < REGIONS_MAX_COUNT;
        passed++
      ) {
        page = await data.scan({ startKey: page.nextKey, endKey: range.endKey, limit: query.limit });
      }
      const valueMaxBytes = query.limit === 1 ? Number.POSITIVE_INFINITY : PREVIEW_MAX_BYTES;
      return {
        rows: page.rows.map(({ key, value, version }) => ({
          key: formatKey(key),
          keyHex: toHex(key),
          version,
          sizeBytes: value.length,
          valueBase64: Buffer.from(value.subarray(0, valueMaxBytes)).toString("base64"),
        })),
        nextKey: page.nextKey === undefined ? null : formatKey(page.nextKey),
        nextKeyHex: page.nextKey === undefined ? null : toHex(page.nextKey),
        isWritable: dataWriter.isAllowed,
      };
    },
  }),
  endpoint({
    method: "PUT",
    path: "/data",
    id: "putRow",
    tag: "data",
    summary: "Put one row",
    description: WRITE_RULE,
    access: "leader",
    refuses: ["RDB_REGION_NOT_FOUND", "RDB_UNDETERMINED_RESULT"],
    body: rowBody,
    answer: changeSchema,
    handle: ({ body }, { dataWriter }) =>
      dataWriter.put(requiredKey(body.key, body.keyHex), valueOf(body), body.expectVersion),
  }),
  endpoint({
    method: "DELETE",
    path: "/data",
    id: "deleteRow",
    tag: "data",
    summary: "Delete one row",
    description: WRITE_RULE,
    access: "leader",
    refuses: ["RDB_REGION_NOT_FOUND", "RDB_UNDETERMINED_RESULT"],
    query: z.strictObject({
      key: keyText.optional(),
      keyHex: keyHex.optional(),
      expectVersion: digits(0).optional().describe(EXPECT_RULE),
    }),
    answer: changeSchema,
    handle: ({ query }, { dataWriter }) =>
      dataWriter.delete(requiredKey(query.key, query.keyHex), query.expectVersion),
  }),
];
