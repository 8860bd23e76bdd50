import { createInterface } from "node:readline/promises";
import { RdbError } from "@flaredb/rdb-base";
import { type Recovery, type RecoveryPlan, RecoveryState, RecoveryStepState } from "@flaredb/rdb-proto";
import { type Command, Option } from "commander";
import { type ExitCode, exitCodes } from "../failure.ts";
import { invalid } from "../input/bytes.ts";
import { parseId } from "../input/numbers.ts";
import { screenOf, write } from "../io.ts";
import type { Call, Shell } from "../shell.ts";
import { defineAction } from "../shell.ts";
import type { Look } from "../wait-for.ts";

interface UnsafeRecoverOptions {
  readonly lostStores?: string;
  readonly createEmpty?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly show?: true;
  readonly cancel?: true;
}

/** `rdb unsafe-recover` */
export function defineUnsafeRecover(parent: Command, shell: Shell): void {
  const command = parent
    .command("unsafe-recover")
    .description("bring Regions back whose majority was on Stores that are lost for good; loses writes")
    .option("--lost-stores <ids>", "the Stores that never come back, all of them, by comma")
    .option("--create-empty", "make empty Regions where no peer of a key range is left")
    .option("--dry-run", "only show what would be done, and what would be lost")
    .option("--yes", "do not ask")
    .addOption(
      new Option("--show", "show the recoveries that were begun").conflicts(["lostStores", "cancel"]),
    )
    .addOption(
      new Option("--cancel", "what the running recovery has not done yet, it does not do").conflicts(
        "lostStores",
      ),
    );
  defineAction(command, shell, unsafeRecover);
}

async function unsafeRecover(call: Call<UnsafeRecoverOptions>): Promise<ExitCode> {
  const { show, cancel, lostStores } = call.options;
  if (show === true) {
    return showRecoveries(call);
  }
  if (cancel === true) {
    return cancelRecovery(call);
  }
  if (lostStores === undefined) {
    throw invalid("lost-stores", "say which Stores never come back: --lost-stores 1,2");
  }
  return recover(
    call,
    lostStores.split(",").map((id) => parseId("lost-stores", id.trim())),
  );
}

async function recover(call: Call<UnsafeRecoverOptions>, lostStoreIds: bigint[]): Promise<ExitCode> {
  const { callPdAdmin } = await import("../pd-caller.ts");
  const { planDocument, renderPlan } = await import("../output/recovery.ts");
  const createEmpty = call.options.createEmpty === true;
  const wish = { lostStoreIds, createEmpty };
  const answer = await callPdAdmin(call.globals, (pd, options) => pd.planRecovery(wish, options));
  const { plan } = answer;
  if (plan === undefined) {
    throw new RdbError("RDB_INTERNAL", "the placement driver answered without a plan");
  }
  const text = renderPlan(plan, screenOf(call.io));
  if (!hasWork(plan)) {
    await call.print({ plan: planDocument(plan) }, () => `${idleText(plan)}\n`);
    return plan.waiting.length + plan.lostRanges.length > 0 ? exitCodes.failed : exitCodes.done;
  }
  if (call.options.dryRun === true) {
    await call.print({ plan: planDocument(plan) }, () => `${text}\nNothing was done (--dry-run).\n`);
    return exitCodes.done;
  }
  if (call.options.yes !== true && !(await confirm(call, plan, text))) {
    throw new RdbError("RDB_ABORTED", "not confirmed: nothing was done");
  }
  const { fingerprint } = plan;
  const { recovery } = await callPdAdmin(call.globals, (pd, options) =>
    pd.beginRecovery({ ...wish, fingerprint }, options),
  );
  return follow(call, plan, present(recovery));
}

function hasWork({ steps, lostRanges, createEmpty }: RecoveryPlan): boolean {
  return steps.length > 0 || (createEmpty && lostRanges.length > 0);
}

function idleText({ waiting, lostRanges, lostStoreIds }: RecoveryPlan): string {
  if (waiting.length > 0) {
    return `Nothing can be done now: ${waiting.length} Regions without a quorum are about to change. Run the command again.`;
  }
  return lostRanges.length > 0
    ? `No peer is left of ${lostRanges.length} key ranges, and nothing else has lost its quorum: --create-empty makes empty Regions of them.`
    : `No Region has lost its quorum: nothing to recover. \`rdb store decommission ${lostStoreIds[0]}\` has PD replace what a lost Store had.`;
}

/** Asks for the number of Stores: whoever only means to press a key does not get far. */
async function confirm({ io }: Call<unknown>, plan: RecoveryPlan, text: string): Promise<boolean> {
  const wanted = String(plan.lostStoreIds.length);
  await write(
    io.stderr,
    `${text}\nType the number of Stores that are given up for good (${wanted}) to go on: `,
  );
  const lines = createInterface({ input: io.stdin, terminal: false });
  try {
    for await (const line of lines) {
      return line.trim() === wanted;
    }
    return false;
  } finally {
    lines.close();
  }
}

async function follow(
  call: Call<UnsafeRecoverOptions>,
  plan: RecoveryPlan,
  begun: Recovery,
): Promise<ExitCode> {
  const { waitFor } = await import("../wait-for.ts");
  const { planDocument, recoveryDocument, renderRecovery } = await import("../output/recovery.ts");
  const ended = await waitFor(call, {
    look: async () => lookAt(await fetchRecovery(call, begun.id)),
    goesOn:
      `recovery ${begun.id} goes on: \`rdb unsafe-recover --show\` tells how it stands, ` +
      "`rdb unsafe-recover --cancel` keeps what is not done yet from being done",
  });
  if (ended === undefined) {
    return exitCodes.interrupted;
  }
  const recovery = ended.done;
  const refusedCount = recovery.steps.filter(({ state }) => state !== RecoveryStepState.DONE).length;
  const leftCount = refusedCount + plan.waiting.length;
  const unservedCount = plan.lostRanges.length - recovery.emptyRegions.length;
  await call.print(
    { plan: planDocument(plan), recovery: recoveryDocument(recovery) },
    () => `${renderRecovery(recovery, screenOf(call.io))}${advice(plan, leftCount, unservedCount)}\n`,
  );
  return leftCount + unservedCount > 0 ? exitCodes.failed : exitCodes.done;
}

function advice({ createEmpty }: RecoveryPlan, leftCount: number, unservedCount: number): string {
  const left = leftCount > 0 ? [`${leftCount} Regions are not recovered yet: run the command again.`] : [];
  if (unservedCount > 0) {
    const how = createEmpty ? "run the command again" : "--create-empty makes empty Regions of them";
    left.push(`${unservedCount} key ranges of which nothing is left stay unserved: ${how}.`);
  }
  return left.length > 0
    ? left.join("\n")
    : "Every one serves again; PD gives them further peers. `rdb doctor` tells when all is well.";
}

function lookAt(recovery: Recovery): Look<Recovery> {
  if (recovery.state !== RecoveryState.RUNNING) {
    return { done: recovery };
  }
  const doneCount = recovery.steps.filter(({ state }) => state !== RecoveryStepState.PENDING).length;
  return { text: `recovery ${recovery.id}: ${doneCount} of ${recovery.steps.length} Regions` };
}

async function showRecoveries(call: Call<UnsafeRecoverOptions>): Promise<ExitCode> {
  const { recoveryDocument, renderRecovery } = await import("../output/recovery.ts");
  const recoveries = await fetchRecoveries(call);
  await call.print(recoveries.map(recoveryDocument), () =>
    recoveries.length === 0
      ? "No Store was ever given up.\n"
      : recoveries.map((each) => renderRecovery(each, screenOf(call.io))).join("\n"),
  );
  return exitCodes.done;
}

async function cancelRecovery(call: Call<UnsafeRecoverOptions>): Promise<ExitCode> {
  const { callPdAdmin } = await import("../pd-caller.ts");
  const { recoveryDocument, renderRecovery } = await import("../output/recovery.ts");
  const running = (await fetchRecoveries(call)).find(({ state }) => state === RecoveryState.RUNNING);
  if (running === undefined) {
    throw new RdbError("RDB_NOT_FOUND", "no recovery goes on: nothing to cancel");
  }
  const request = { recoveryId: running.id };
  const { recovery } = await callPdAdmin(call.globals, (pd, options) => pd.cancelRecovery(request, options));
  const ended = present(recovery);
  await call.print(recoveryDocument(ended), () => renderRecovery(ended, screenOf(call.io)));
  return exitCodes.done;
}

async function fetchRecoveries(call: Call<unknown>): Promise<Recovery[]> {
  const { callPdAdmin } = await import("../pd-caller.ts");
  const { recoveries } = await callPdAdmin(call.globals, (pd, options) => pd.listRecoveries({}, options));
  return recoveries;
}

async function fetchRecovery(call: Call<unknown>, id: bigint): Promise<Recovery> {
  return present((await fetchRecoveries(call)).find((each) => each.id === id));
}

function present(recovery: Recovery | undefined): Recovery {
  if (recovery === undefined) {
    throw new RdbError("RDB_INTERNAL", "the placement driver answered without the recovery");
  }
  return recovery;
}
