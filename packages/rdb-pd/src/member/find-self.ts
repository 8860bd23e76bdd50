import { createClient } from "@connectrpc/connect";
import { type Clock, type Logger, RdbError, SECOND_MS, safeInteger } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { MemberRing, type Wire, fromConnectError, pause } from "@flaredb/rdb-wire";

const CALL_TIMEOUT_MS = 2 * SECOND_MS;
const PAUSE_MS = 500;
/** A group that has no leader gets one within this, if it ever does. */
const ROUNDS_MAX_COUNT = 40;

/** How a member that joins asks. */
export interface FindSelfPorts {
  readonly wire: Pick<Wire, "unary">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Under which id the group that is there knows a member that was added to it by name. Any member's address will do: who
 * is said to lead is asked next.
 *
 * @throws RdbError RDB_NOT_FOUND when it was not added; RDB_PD_UNAVAILABLE when no member answers for long; RDB_CLOSED
 * when `signal` fires
 */
export async function findSelf(
  name: string,
  addresses: readonly string[],
  { wire, clock, logger, signal = new AbortController().signal }: FindSelfPorts,
): Promise<number> {
  const members = new MemberRing(addresses);
  let lastReason = "";
  for (let round = 0; round < ROUNDS_MAX_COUNT; round++) {
    for (let asked = 0; members.mayAsk(asked); asked++) {
      const address = members.current;
      const answer = await askFor(name, address, wire, signal);
      if (signal.aborted) {
        throw new RdbError("RDB_CLOSED", "the start was given up");
      }
      if (typeof answer === "number") {
        return answer;
      }
      if (answer.code === "RDB_NOT_FOUND") {
        throw answer;
      }
      const reason = `${address}: ${answer.message}`;
      if (reason !== lastReason) {
        logger.info({ address, reason: answer.message }, "waiting for the placement driver to join");
      }
      lastReason = reason;
      members.next(answer);
    }
    await pause(clock, PAUSE_MS, signal);
  }
  throw new RdbError(
    "RDB_PD_UNAVAILABLE",
    `no placement driver to join answers at ${addresses.join(", ")} (${lastReason})`,
  );
}

/** @returns the id, or why there is none: RDB_NOT_FOUND when the leader does not know the name */
async function askFor(
  name: string,
  address: string,
  wire: Pick<Wire, "unary">,
  signal: AbortSignal,
): Promise<number | RdbError> {
  const connection = wire.unary(address);
  try {
    const { members } = await createClient(PdService, connection.transport).getClusterInfo(
      {},
      { timeoutMs: CALL_TIMEOUT_MS, signal },
    );
    const self = members.find((member) => member.name === name);
    return self === undefined
      ? new RdbError(
          "RDB_NOT_FOUND",
          `the placement driver at ${address} has no member ${name}: add it first, with rdb pd add-member`,
        )
      : safeInteger(self.id, "member id");
  } catch (error) {
    return fromConnectError(error, "RDB_PD_UNAVAILABLE");
  } finally {
    connection.close();
  }
}
