import { type CallOptions, type Client, createClient } from "@connectrpc/connect";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import { MemberRing, fromConnectError, unaryTransport } from "@flaredb/rdb-wire";
import { waitFor } from "./wait.ts";

const CALL_TIMEOUT_MS = 1_000;
/** The group is asked through its elections for so long. */
const PATIENCE_MS = 90_000;

/** Refusals after which another member, or the same one later, may answer. */
const ASKS_ANOTHER: ReadonlySet<string> = new Set([
  "RDB_NOT_LEADER",
  "RDB_UNAVAILABLE",
  "RDB_DEADLINE_EXCEEDED",
  "RDB_CLOSED",
  "RDB_ABORTED",
  "RDB_STALE_COMMAND",
]);

/** What is asked of whoever leads. */
export interface PdClients {
  readonly pd: Client<typeof PdService>;
  readonly admin: Client<typeof PdAdminService>;
}

/**
 * Asks whoever leads the placement driver's group, through elections. What it refuses is asked again; a refusal that
 * stays is the cause of the error in the end.
 *
 * @param addresses host:port of every member
 */
export async function askPd<Answer>(
  addresses: readonly string[],
  call: (clients: PdClients, options: CallOptions) => Promise<Answer>,
): Promise<Answer> {
  const ring = new MemberRing(addresses);
  const answered = await waitFor("an answer of the placement driver", PATIENCE_MS, async () => {
    const connection = unaryTransport(ring.current);
    const { transport } = connection;
    try {
      const pd = createClient(PdService, transport);
      const admin = createClient(PdAdminService, transport);
      return { answer: await call({ pd, admin }, { timeoutMs: CALL_TIMEOUT_MS }) };
    } catch (error) {
      const refusal = fromConnectError(error);
      if (!ASKS_ANOTHER.has(refusal.code)) {
        throw refusal;
      }
      ring.next(refusal);
      return undefined;
    } finally {
      connection.close();
    }
  });
  return answered.answer;
}
