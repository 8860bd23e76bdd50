import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Logger, RdbError, formatKey } from "@flaredb/rdb-base";
import { KvService } from "@flaredb/rdb-proto";
import { RDB_CODE_HEADER, type TlsIdentity, fromConnectError, unaryTransport } from "@flaredb/rdb-wire";
import type { PlacementDriver } from "../placement-driver.ts";
import { leaderAddress } from "./data-reader.ts";

/** What became of a change. */
interface DataChange {
  /** Whether the row was as expected, and so was changed; always where nothing is expected. */
  readonly succeeded: boolean;
  /** Of the row after it: the new version, or the one that was met; 0: there is none. */
  readonly version: number;
}

/** Changes the users' rows for people; a change is one write to one Region's log, as any client's. */
export interface DataWriter {
  /** Whether it changes anything at all. */
  readonly isAllowed: boolean;
  /**
   * @param expectVersion only if the row has this version, 0: only if there is none; undefined: whatever there is
   * @throws RdbError RDB_PERMISSION_DENIED unless the setting `dataAccess` is `write`; RDB_INVALID_ARGUMENT for a key or
   * value that is too long; RDB_UNDETERMINED_RESULT when it was sent and not answered; RDB_REGION_NOT_FOUND,
   * RDB_UNAVAILABLE and what the Store refuses
   */
  put(key: Uint8Array, value: Uint8Array, expectVersion: number | undefined): Promise<DataChange>;
  /** As `put`. `succeeded` is false too when there was no such row. */
  delete(key: Uint8Array, expectVersion: number | undefined): Promise<DataChange>;
}

/** Where nobody may change data. */
export function noDataWriter(access: "off" | "read"): DataWriter {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new RdbError(
        "RDB_PERMISSION_DENIED",
        `this PD changes no data: its setting dataAccess is "${access}", "write" would let it`,
      ),
    );
  return { isAllowed: false, put: refuse, delete: refuse };
}

const TIMEOUT_MS = 5_000;

/**
 * Asks the Stores, as any client without a map does: they check and forward, and say so when the outcome is unknown.
 *
 * @param driver whose map says which Store to ask
 * @param logger told of each change, not of values
 */
export function storeDataWriter(
  tls: TlsIdentity | undefined,
  driver: () => PlacementDriver,
  logger: Logger,
): DataWriter {
  const change = async (
    kind: "put" | "delete",
    key: Uint8Array,
    call: (client: Client<typeof KvService>, options: { readonly timeoutMs: number }) => Promise<DataChange>,
  ): Promise<DataChange> => {
    const connection = unaryTransport(leaderAddress(driver(), key), {}, tls);
    try {
      const done = await call(createClient(KvService, connection.transport), { timeoutMs: TIMEOUT_MS });
      logger.info({ key: formatKey(key), ...done }, `row ${kind} by the admin API`);
      return done;
    } catch (error) {
      throw changeError(kind, key, error);
    } finally {
      connection.close();
    }
  };
  return {
    isAllowed: true,
    put: (key, value, expectVersion) =>
      change("put", key, async (client, options) => {
        if (expectVersion === undefined) {
          const { version } = await client.put({ key, value }, options);
          return { succeeded: true, version: Number(version) };
        }
        const expect = expectation(expectVersion);
        const { succeeded, version } = await client.compareAndSwap({ key, value, expect }, options);
        return { succeeded, version: Number(version) };
      }),
    delete: (key, expectVersion) =>
      change("delete", key, async (client, options) => {
        if (expectVersion === undefined) {
          const { deleted } = await client.delete({ key }, options);
          return { succeeded: deleted, version: 0 };
        }
        const expect = expectation(expectVersion);
        const { succeeded, version } = await client.compareAndDelete({ key, expect }, options);
        return { succeeded, version: succeeded ? 0 : Number(version) };
      }),
  };
}

function expectation(version: number) {
  return {
    condition:
      version === 0
        ? { case: "absent" as const, value: true }
        : { case: "version" as const, value: BigInt(version) },
  };
}

/** What a connection says that ended, or was too slow; all other codes are answers, and refusals. */
const unanswered: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
  Code.Unknown,
  Code.Internal,
]);

/** A Store that was reached and says nothing, as one that dies, may have done what it was asked. */
function changeError(kind: "put" | "delete", key: Uint8Array, caught: unknown): RdbError {
  const error = fromConnectError(caught);
  const { code, metadata } = ConnectError.from(caught);
  if (metadata.has(RDB_CODE_HEADER) || !unanswered.has(code) || wasNotReached(caught)) {
    return error;
  }
  return new RdbError(
    "RDB_UNDETERMINED_RESULT",
    `row ${kind} of key "${formatKey(key)}" was sent, and what it came to is not known (${error.message}): read the row before it is changed again`,
    { details: { key }, cause: caught },
  );
}

/** Whether the connection was never made: then nothing was sent on it. */
function wasNotReached(caught: unknown): boolean {
  for (let error: unknown = caught; error instanceof Error; error = error.cause) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (syscall === "connect" || syscall === "getaddrinfo") {
      return true;
    }
  }
  return false;
}
