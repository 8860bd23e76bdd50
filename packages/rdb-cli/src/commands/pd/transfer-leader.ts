import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb pd transfer-leader ID` */
export function definePdTransferLeader(parent: Command, shell: Shell): void {
  const command = parent
    .command("transfer-leader <id>")
    .description("let another member lead the placement driver, and wait until it does");
  defineAction(command, shell, transferLeader);
}

async function transferLeader(call: Call<unknown>, idText: string): Promise<ExitCode> {
  const toMemberId = parseId("id", idText);
  const { callPd, callPdAdmin } = await import("../../pd-caller.ts");
  const { timeoutMs } = call.globals;
  const ask = () => callPdAdmin(call.globals, (pd, options) => pd.transferPdLeader({ toMemberId }, options));
  await ask();
  const { waitFor } = await import("../../wait-for.ts");
  const deadlineMs = performance.now() + timeoutMs;
  const led = await waitFor(call, {
    look: async () => {
      const { leaderMemberId } = await callPd(call.globals, (pd, options) => pd.getClusterInfo({}, options));
      if (leaderMemberId === toMemberId) {
        return { done: leaderMemberId };
      }
      const text = `PD member ${leaderMemberId} still leads`;
      if (performance.now() > deadlineMs) {
        throw new RdbError(
          "RDB_DEADLINE_EXCEEDED",
          `${text}: the transfer to member ${toMemberId} came to nothing`,
        );
      }
      // A member that lags lets its turn pass: asked again, it takes it.
      await ask();
      return { text };
    },
    goesOn: "the transfer goes on, or is given up: `rdb pd members` tells who leads",
  });
  if (led === undefined) {
    return exitCodes.interrupted;
  }
  await call.print(
    { id: Number(toMemberId), isLeader: true },
    () => `PD member ${toMemberId} leads the placement driver\n`,
  );
  return exitCodes.done;
}
