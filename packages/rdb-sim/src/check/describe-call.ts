import type { Call, Condition, Mutation, SeenRow } from "./history.ts";

/** Items that a text lists before it says how many more there are. */
const LISTED_MAX_COUNT = 4;

/** A call in one line; of one with many keys, what it did to `key`. */
export function describeCall(call: Call, key?: string): string {
  return `${call.op} ${whatOf(call, key)} -> ${answerOf(call, key)}`;
}

function whatOf(call: Call, key: string | undefined): string {
  switch (call.op) {
    case "get":
    case "batchGet":
      return listed(only(call.keys, (known) => known, key).map(quoted));
    case "scan":
    case "deleteRange":
      return `["${call.from}", "${call.to}")`;
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
      return listed(only(call.mutations, (mutation) => mutation.key, key).map(mutationText));
    case "cas":
    case "conditionalBatch": {
      const conditions = only(call.conditions, (condition) => condition.key, key).map(conditionText);
      const mutations = only(call.mutations, (mutation) => mutation.key, key).map(mutationText);
      return `${listed(mutations)} if ${listed(conditions)}`;
    }
  }
}

function answerOf(call: Call, key: string | undefined): string {
  if (call.outcome !== "ok") {
    return call.outcome;
  }
  const at = call.shown === undefined ? "" : ` (Region ${call.shown.regionId} at ${call.shown.revision})`;
  switch (call.op) {
    case "get":
    case "batchGet":
    case "scan": {
      const rows = only(call.rows, (row) => row.key, key);
      return `${rows.length === 0 ? "nothing" : listed(rows.map(rowText))}${at}`;
    }
    case "put":
    case "batchPut":
    case "batchDelete":
    case "deleteRange":
      return `done${at}`;
    case "delete":
      return `${call.deleted === undefined ? "done" : call.deleted ? "deleted" : "was absent"}${at}`;
    case "cas":
    case "conditionalBatch": {
      const met = call.metVersion === undefined ? "" : `, met version ${call.metVersion}`;
      return `${call.succeeded === true ? "done" : `condition did not hold${met}`}${at}`;
    }
  }
}

function only<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  key: string | undefined,
): readonly Item[] {
  return key === undefined ? items : items.filter((item) => keyOf(item) === key);
}

function listed(texts: readonly string[]): string {
  const more = texts.length - LISTED_MAX_COUNT;
  return more <= 0 ? texts.join(", ") : `${texts.slice(0, LISTED_MAX_COUNT).join(", ")} and ${more} more`;
}

function quoted(text: string): string {
  return `"${text}"`;
}

function rowText({ key, value, version }: SeenRow): string {
  return `"${key}"="${value}"@${version}`;
}

function mutationText({ key, value }: Mutation): string {
  return value === undefined ? `no "${key}"` : `"${key}"="${value}"`;
}

function conditionText({ key, expect }: Condition): string {
  switch (expect.kind) {
    case "version":
      return `"${key}"@${expect.version}`;
    case "value":
      return `"${key}"="${expect.value}"`;
    case "absent":
      return `no "${key}"`;
  }
}
