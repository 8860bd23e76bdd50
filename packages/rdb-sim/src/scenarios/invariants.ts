import { type Index, type KeyRange, FULL_RANGE } from "@flaredb/rdb-base";
import { type Column, decodeValue, indexedKey } from "@flaredb/rdb-storage";
import { checkKeys } from "../check/check-keys.ts";
import { checkRevisions } from "../check/revisions.ts";
import { comparePeers, describeUnlevel, isLevel } from "../run/convergence.ts";
import type { Scenario, StoreMember } from "./scenario.ts";

/** Log GC has looked this often before logs are measured. */
const GC_ROUNDS = 4;
const PAGE_COUNT = 1_000;
/** Longest time until all peers are level, in virtual ms. */
const LEVEL_MAX_MS = 120_000;

/**
 * Repairs everything and lets the cluster come to rest, then checks what SCENARIOS.md asks for after every scenario:
 * acknowledged writes are readable, once and in order; the history of each register is linearizable; all peers of a
 * Region have the same rows, sessions and log entries; each term had one leader; Regions tile the key space; no process
 * ended by itself or logged an error; no log is longer than twice its limit. What must hold at every moment was checked
 * meanwhile.
 *
 * @throws Error naming everything that does not hold, with the end of the log
 */
export async function expectInvariants(scenario: Scenario): Promise<void> {
  scenario.cluster.net.intercept = undefined;
  scenario.heal();
  await scenario.untilServing();
  const [reader] = scenario.cluster.clients;
  if (reader !== undefined) {
    await scenario.complete(scenario.calls.finishLoops(reader));
  }
  const areLevel = (): boolean => isLevel(scenario.stores, scenario.voterCount);
  const describe = (): string => describeUnlevel(scenario.stores, scenario.voterCount);
  await scenario.until("all peers are level", areLevel, LEVEL_MAX_MS, describe);
  await trimLogs(scenario);
  await scenario.until("all peers are level and written", areLevel, LEVEL_MAX_MS, describe);
  const { history, workloads } = scenario.calls;
  const violations = [
    ...workloads.flatMap((workload) => workload.violations),
    ...checkKeys(history.calls),
    ...checkRevisions(history.calls, scenario.invariants.lineage),
    ...(await scenario.complete(comparePeers(scenario.stores))),
  ];
  const problems = [
    ...scenario.watch.violations,
    ...violations.map(({ name, message }) => `${name}: ${message}`),
    ...longLogs(scenario),
  ];
  if (problems.length > 0) {
    throw new Error(`${problems.join("\n")}\n${scenario.watch.tail()}`);
  }
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

/** Lets log GC look some more times. Idle Regions sleep; a read wakes them. */
async function trimLogs(scenario: Scenario): Promise<void> {
  const { logGcCheckIntervalMs, logGcMaxEntries } = scenario.limits;
  const isLong = (): boolean => logLengths(scenario).some((length) => length > 2 * logGcMaxEntries);
  for (let round = 0; round < GC_ROUNDS && isLong(); round++) {
    await scenario.run(logGcCheckIntervalMs);
  }
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
