import { createClient } from "@connectrpc/connect";
import { type Clock, RdbError, SECOND_MS, safeInteger } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { type Wire, fromConnectError } from "@flaredb/rdb-wire";

const CALL_TIMEOUT_MS = 2 * SECOND_MS;
const PAUSE_MS = 500;
/** A group that has no leader gets one within this, if it ever does. */
const ROUNDS_MAX_COUNT = 40;

/**
 * Under which id the group that is there knows a member that was added to it by name.
 *
 * @throws RdbError RDB_NOT_FOUND when it was not added; RDB_PD_UNAVAILABLE when no member answers for long
 */
export async function findSelf(
  name: string,
  addresses: readonly string[],
  { wire, clock }: { readonly wire: Pick<Wire, "unary">; readonly clock: Clock },
): Promise<number> {
  let lastReason = "";
  for (let round = 0; round < ROUNDS_MAX_COUNT; round++) {
    for (const address of addresses) {
      const connection = wire.unary(address);
      try {
        const { members } = await createClient(PdService, connection.transport).getClusterInfo(
          {},
          { timeoutMs: CALL_TIMEOUT_MS },
        );
        const self = members.find((member) => member.name === name);
        if (self !== undefined) {
          return safeInteger(self.id, "member id");
        }
        throw new RdbError(
          "RDB_NOT_FOUND",
          `the placement driver at ${address} has no member ${name}: add it first, with rdb pd add-member`,
        );
      } catch (error) {
        const refusal = fromConnectError(error, "RDB_PD_UNAVAILABLE");
        if (refusal.code === "RDB_NOT_FOUND") {
          throw refusal;
        }
        lastReason = `${address}: ${refusal.message}`;
      } finally {
        connection.close();
      }
    }
    await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve));
  }
  throw new RdbError(
    "RDB_PD_UNAVAILABLE",
    `no placement driver to join answers at ${addresses.join(", ")} (${lastReason})`,
  );
}
