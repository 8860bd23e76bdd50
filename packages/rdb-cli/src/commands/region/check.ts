import { MINUTE_MS, RdbError, hasCode } from "@flaredb/rdb-base";
import type { RegionRoute } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";
import type { Look } from "../../wait-for.ts";
import { fetchRegions } from "./fetch-regions.ts";

/** Asked again after so long: the leader that was asked may be gone. */
const ASK_AGAIN_AFTER_MS = 10_000;
/** A Region whose peers cannot be compared in this time is reported instead of waited for. */
const CHECK_PATIENCE_MS = 5 * MINUTE_MS;

/** One Region under comparison. */
interface Check {
  readonly regionId: bigint;
  /** Up to where its peers were compared before; undefined: the comparison could not begin yet. */
  readonly before: bigint | undefined;
  readonly askedMs: number;
}

/** `rdb region check [ID]` */
export function defineRegionCheck(parent: Command, shell: Shell): void {
  const command = parent
    .command("check [id]")
    .description("compare the peers of a Region, or of every one; exits with 1 when some differ")
    .addOption(noWaitOption("begin to compare and do not wait for what comes out"));
  defineAction(command, shell, checkReplicas);
}

async function checkReplicas(call: Call<WaitOptions>, idText: string | undefined): Promise<ExitCode> {
  const regionIds =
    idText === undefined
      ? (await fetchRegions(call.globals)).map(({ region }) => region?.id ?? 0n)
      : [parseId("id", idText)];
  const mayWait = idText === undefined && call.options.wait;
  const checks: Check[] = [];
  for (const regionId of regionIds) {
    checks.push(await (mayWait ? beginOrLater(call, regionId) : begin(call, regionId)));
  }
  if (!call.options.wait) {
    await call.print({ regionIds }, () => `${count(regionIds.length)} will be compared\n`);
    return exitCodes.done;
  }
  const { waitFor } = await import("../../wait-for.ts");
  const finished = await waitFor(call, {
    look: comparison(call, checks),
    goesOn: "the comparison goes on: `rdb region list` shows peers that are found to differ",
  });
  return finished === undefined ? exitCodes.interrupted : report(call, finished.done);
}

async function begin(call: Call<unknown>, regionId: bigint): Promise<Check> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { verifiedIndexBefore } = await callPdAdmin(call.globals, (pd, options) =>
    pd.checkReplicas({ regionId }, options),
  );
  return { regionId, before: verifiedIndexBefore, askedMs: performance.now() };
}

/** Of many Regions one or the other is just being changed, or between two leaders: it is asked again. */
async function beginOrLater(call: Call<unknown>, regionId: bigint): Promise<Check> {
  try {
    return await begin(call, regionId);
  } catch (error) {
    if (hasCode(error, "RDB_SERVER_IS_BUSY") || hasCode(error, "RDB_NOT_FOUND")) {
      return { regionId, before: undefined, askedMs: performance.now() };
    }
    throw error;
  }
}

/** Looks at the Regions that are left; those that were split or merged away meanwhile are left out. */
function comparison(call: Call<unknown>, checks: readonly Check[]): () => Promise<Look<RegionRoute[]>> {
  const pending = new Map(checks.map((check) => [check.regionId, check]));
  const done: RegionRoute[] = [];
  const startedMs = performance.now();
  return async () => {
    const routes = new Map((await fetchRegions(call.globals)).map((route) => [route.region?.id, route]));
    for (const check of pending.values()) {
      const route = routes.get(check.regionId);
      if (route === undefined || isCompared(route, check)) {
        pending.delete(check.regionId);
        done.push(...(route === undefined ? [] : [route]));
      } else if (check.before === undefined || performance.now() - check.askedMs > ASK_AGAIN_AFTER_MS) {
        pending.set(check.regionId, await beginOrLater(call, check.regionId));
      }
    }
    if (pending.size > 0 && performance.now() - startedMs > CHECK_PATIENCE_MS) {
      throw tooLong([...pending.keys()]);
    }
    return pending.size === 0 ? { done } : { text: `${done.length} of ${checks.length} Regions compared` };
  };
}

function isCompared(route: RegionRoute, check: Check): boolean {
  const isBeyond = check.before !== undefined && route.verifiedIndex > check.before;
  return isBeyond || route.damagedPeerIds.length > 0;
}

function tooLong(regionIds: readonly bigint[]): RdbError {
  return new RdbError(
    "RDB_DEADLINE_EXCEEDED",
    `${count(regionIds.length)} (${regionIds.join(", ")}) could not be compared in ${CHECK_PATIENCE_MS / MINUTE_MS} minutes`,
    { details: { regionIds: regionIds.map(Number) } },
  );
}

async function report(call: Call<unknown>, routes: readonly RegionRoute[]): Promise<ExitCode> {
  const damaged = routes.flatMap((route) =>
    (route.region?.peers ?? [])
      .filter((peer) => route.damagedPeerIds.includes(peer.id))
      .map((peer) => ({ regionId: route.region?.id, peerId: peer.id, storeId: peer.storeId })),
  );
  await call.print({ comparedCount: routes.length, damaged }, () =>
    damaged.length === 0
      ? `${count(routes.length)} compared: the peers have the same rows\n`
      : damaged
          .map(
            ({ regionId, peerId, storeId }) =>
              `Region ${regionId}: peer ${peerId} on Store ${storeId} differs; it serves nobody and will be replaced\n`,
          )
          .join(""),
  );
  return damaged.length === 0 ? exitCodes.done : exitCodes.failed;
}

function count(regionCount: number): string {
  return regionCount === 1 ? "1 Region" : `${regionCount} Regions`;
}
