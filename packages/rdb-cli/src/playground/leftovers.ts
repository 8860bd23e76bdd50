import { RdbError } from "@flaredb/rdb-base";
import { runningMember } from "./member.ts";
import type { MemberPlan } from "./plan.ts";

const POLL_INTERVAL_MS = 50;

/**
 * Waits until the processes of a playground that was killed are gone: they notice it and stop by themselves.
 *
 * @throws RdbError RDB_DATA_LOCKED naming one that is still there after `patienceMs`
 */
export async function waitForLeftovers(members: readonly MemberPlan[], patienceMs: number): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (const member of members) {
    for (let pid = await runningMember(member); pid !== undefined; pid = await runningMember(member)) {
      if (performance.now() >= deadlineMs) {
        throw new RdbError(
          "RDB_DATA_LOCKED",
          `process ${pid} of a former playground still runs in ${member.folder}: stop it first, with \`kill ${pid}\``,
          { details: { folder: member.folder, pid } },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }
}
