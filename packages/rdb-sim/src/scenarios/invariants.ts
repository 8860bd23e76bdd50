import { type Index, type KeyRange, FULL_RANGE, compareKeys } from "@flaredb/rdb-base";
import { type Column, decodeValue, indexedKey } from "@flaredb/rdb-storage";
import { checkKeys } from "../check/check-keys.ts";
import { checkRevisions } from "../check/revisions.ts";
import type { Violation } from "../check/violation.ts";
import type { RegionStatus, Scenario, StoreMember } from "./scenario.ts";

/** Log GC has looked this often before logs are measured. */
const GC_ROUNDS = 4;
const PAGE_COUNT = 1_000;

/**
 * Repairs everything and lets the cluster come to rest, then checks what SCENARIOS.md asks for after every scenario:
 * acknowledged writes are readable, once and in order; the history of each register is linearizable; all peers of a
 * Region have the same rows, sessions and log entries; each term had one leader; Regions tile the key space; no process
 * ended by itself or logged an error; no log is longer than twice its limit.
 *
 * @throws Error naming everything that does not hold, with the end of the log
 */
export async function expectInvariants(scenario: Scenario): Promise<void> {
  scenario.interceptRaft(undefined);
  scenario.heal();
  await scenario.untilServing();
  await scenario.finishLoops();
  await scenario.until("all peers are level", () => isLevel(scenario));
  await trimLogs(scenario);
  await scenario.until("all peers are level and written", () => isLevel(scenario) && isWritten(scenario));
  const problems = [
    ...scenario.watch.violations,
    ...violationsOf(scenario).map(({ name, message }) => `${name}: ${message}`),
    ...(await scenario.complete(differences(scenario))),
    ...logMismatches(scenario),
    ...scenario.stores.flatMap((store) => gaps(store)),
    ...longLogs(scenario),
  ];
  if (problems.length > 0) {
    throw new Error(`${problems.join("\n")}\n${scenario.watch.tail()}`);
  }
}

function violationsOf({ workloads, history: { calls } }: Scenario): Violation[] {
  const seen = workloads.flatMap(({ violations }) => violations);
  return [...seen, ...checkKeys(calls), ...checkRevisions(calls)];
}

/** Rows of a column on the disk of a Store, running or not, as hexadecimal `key=value`. */
export async function rowsOnDisk(
  store: StoreMember,
  column: Column,
  range: KeyRange = FULL_RANGE,
): Promise<string[]> {
  const rows: string[] = [];
  const iterator = store.disk?.content.openIterator(column, range, {});
  for (let done = iterator === undefined; !done; ) {
    const page = await iterator?.next(PAGE_COUNT);
    rows.push(...(page?.rows ?? []).map(({ key, value }) => `${hex(key)}=${hex(value)}`));
    done = page?.done ?? true;
  }
  iterator?.close();
  return rows;
}

/** The value of a key on the disk of a Store, whatever the Raft group makes of it. */
export function valueOnDisk(store: StoreMember, key: string): string | undefined {
  const row = store.disk?.content.get("data", Buffer.from(key));
  return row === undefined ? undefined : Buffer.from(decodeValue(row).value).toString();
}

/** An entry of a Region's log as it lies on the disk of a Store, hexadecimal. */
export function entryOnDisk(
  scenario: Scenario,
  store: StoreMember,
  index: number,
  region = 0,
): string | undefined {
  const id = scenario.regionIds[region];
  const row =
    id === undefined ? undefined : store.disk?.content.get("raft_log", indexedKey(id, index as Index));
  return row === undefined ? undefined : hex(row);
}

/** One leader in each Region, and everything in each log applied on each Store. */
export function isLevel(scenario: Scenario): boolean {
  return scenario.regionIds.every((id) => {
    const statuses = scenario.stores.map(({ process }) => process.running?.store.regionStatus(id));
    const last = statuses[0]?.lastIndex;
    return (
      statuses.filter((status) => status?.isLeader === true).length === 1 &&
      statuses.every((status) => status?.appliedIndex === last && status?.lastIndex === last)
    );
  });
}

/** What was applied is on the disks. */
function isWritten({ stores }: Scenario): boolean {
  return stores.every(({ process }) => process.running?.store.health().unwrittenBytes === 0);
}

/** Lets log GC look some more times. Idle Regions sleep; a read wakes them. */
async function trimLogs(scenario: Scenario): Promise<void> {
  const { logGcCheckIntervalMs, logGcMaxEntries } = scenario.limits;
  const isLong = (): boolean => logLengths(scenario).some((length) => length > 2 * logGcMaxEntries);
  for (let round = 0; round < GC_ROUNDS && isLong(); round++) {
    await scenario.run(logGcCheckIntervalMs);
  }
}

async function differences(scenario: Scenario): Promise<string[]> {
  const [first, ...rest] = scenario.stores;
  const problems: string[] = [];
  for (const column of ["data", "session"] as const) {
    const reference = first === undefined ? [] : await rowsOnDisk(first, column);
    for (const store of rest) {
      const rows = await rowsOnDisk(store, column);
      const at = reference.findIndex((row, place) => rows[place] !== row);
      if (at >= 0 || rows.length !== reference.length) {
        const place = at >= 0 ? at : reference.length;
        problems.push(
          `${column} differs: ${first?.name} has ${reference[place] ?? "nothing"}, ${store.name} ${rows[place] ?? "nothing"}`,
        );
      }
    }
  }
  for (const [place] of scenario.regionIds.entries()) {
    const revisions = new Set(scenario.stores.map((store) => scenario.statusOf(store, place).revision));
    if (revisions.size > 1) {
      problems.push(`Region ${place} has revisions ${[...revisions].join(", ")} at the same applied index`);
    }
  }
  return problems;
}

/** Entries that differ, of those that all logs still have. */
function logMismatches(scenario: Scenario): string[] {
  return scenario.regionIds.flatMap((_, region) => {
    const statuses = scenario.stores.map((store) => scenario.statusOf(store, region));
    const first = Math.max(...statuses.map((status) => status.firstIndex));
    const last = Math.min(...statuses.map((status) => status.lastIndex));
    const indexes = Array.from({ length: Math.max(0, last - first + 1) }, (__, place) => first + place);
    return indexes
      .filter(
        (index) =>
          new Set(scenario.stores.map((store) => entryOnDisk(scenario, store, index, region))).size > 1,
      )
      .map((index) => `Region ${region} has different entries at ${index}`);
  });
}

function gaps(store: StoreMember): string[] {
  const statuses = (store.process.running?.store.regionStatuses() ?? []).toSorted((a, b) =>
    compareKeys(a.region.startKey, b.region.startKey),
  );
  const isWhole =
    (statuses[0]?.region.startKey.length ?? 1) + (statuses.at(-1)?.region.endKey.length ?? 1) === 0;
  const follows = ({ region }: RegionStatus, place: number): boolean => {
    const next = statuses[place + 1]?.region;
    return next === undefined || compareKeys(region.endKey, next.startKey) === 0;
  };
  return isWhole && statuses.every(follows) ? [] : [`the Regions on ${store.name} do not tile the key space`];
}

function longLogs(scenario: Scenario): string[] {
  const limit = 2 * scenario.limits.logGcMaxEntries;
  const longest = Math.max(...logLengths(scenario));
  return longest > limit ? [`a log has ${longest} entries, more than twice its limit`] : [];
}

function logLengths(scenario: Scenario): number[] {
  return scenario.stores
    .flatMap(({ process }) => process.running?.store.regionStatuses() ?? [])
    .map(({ firstIndex, lastIndex }) => lastIndex - firstIndex + 1);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
