import { create } from "@bufbuild/protobuf";
import {
  type Clock,
  type ErrorCode,
  type Logger,
  type Random,
  RdbError,
  SECOND_MS,
  safeInteger,
  storeId,
} from "@flaredb/rdb-base";
import { pause } from "@flaredb/rdb-wire";
import { type RegisterStoreResponse, RegisterStoreRequestSchema } from "@flaredb/rdb-proto";
import { type Engine, type StoreIdent, WritePart, readIdentOf, writeIdent } from "@flaredb/rdb-storage";
import type { ClusterVersion } from "../store/cluster-version.ts";
import { OnceLog } from "../transport/once-log.ts";
import { PROGRAM_VERSION } from "../version.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { PdConnection } from "./pd-connection.ts";

/** What a Store says of itself. */
interface StoreSelf {
  /** host:port at which others reach it. */
  readonly address: string;
  readonly httpAddress: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Drawn by this start of the process; a safe integer. */
  readonly bootId: number;
}

export interface RegistrationOptions {
  readonly engine: Engine;
  readonly connection: PdConnection;
  readonly self: StoreSelf;
  readonly clusterVersion: ClusterVersion;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const TOKEN_KEY = new TextEncoder().encode("registration-token");
const TOKEN_BYTES = 16;
/** The address of a Store that was just stopped, or wiped, is free once PD counts it as gone. */
const ADDRESS_TAKEN_PATIENCE_MS = 15 * SECOND_MS;

/** What is worth another attempt: nobody answered, or PD is not ready. */
const passing: ReadonlySet<ErrorCode> = new Set([
  "RDB_PD_UNAVAILABLE",
  "RDB_UNAVAILABLE",
  "RDB_CLOSED",
  "RDB_ABORTED",
  "RDB_DEADLINE_EXCEEDED",
  "RDB_SERVER_IS_BUSY",
  "RDB_NOT_LEADER",
  // The leader changed meanwhile: the token keeps a second try from being a second Store.
  "RDB_STALE_COMMAND",
  "RDB_INTERNAL",
]);

/** A Store's first call at each start, and how it comes by its identity. */
export class Registration {
  readonly #options: RegistrationOptions;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Who this Store is, if it knows already. @throws RdbError RDB_DATA_FOREIGN when the data is not a Store's */
  storedIdent(): StoreIdent | undefined {
    return readIdentOf(this.#options.engine, "Store");
  }

  /**
   * Registers, as often as it takes while PD is away. A new Store gets its identity, durably.
   *
   * @throws RdbError what PD refuses for good: RDB_CLUSTER_MISMATCH, RDB_ALREADY_EXISTS (the address),
   * RDB_DATA_FOREIGN, RDB_STORE_DECOMMISSIONED, RDB_VERSION_TOO_OLD, RDB_NOT_FOUND, RDB_INVALID_ARGUMENT; RDB_CLOSED when `signal` fires
   */
  async register(
    signal: AbortSignal,
  ): Promise<{ readonly ident: StoreIdent; readonly stores: RegisterStoreResponse["stores"] }> {
    const { clock, random, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    const token = await this.#token();
    const reasonsLogged = new OnceLog();
    for (let failedAttempts = 0; ; failedAttempts++) {
      if (signal.aborted) {
        throw new RdbError("RDB_CLOSED", "the Store was stopped before it was registered");
      }
      try {
        return await this.#registerOnce(token);
      } catch (error) {
        const refusal = RdbError.from(error);
        const patient =
          refusal.code === "RDB_ALREADY_EXISTS" &&
          clock.monotonicMs() - startedMs < ADDRESS_TAKEN_PATIENCE_MS;
        if (!patient && !passing.has(refusal.code)) {
          throw refusal;
        }
        if (reasonsLogged.isNew(refusal.message)) {
          logger.warn({ reason: refusal.message }, "not registered yet: trying again and again");
        }
      }
      await pause(clock, retryDelayMs(failedAttempts, random), signal);
    }
  }

  async #registerOnce(
    token: string,
  ): Promise<{ readonly ident: StoreIdent; readonly stores: RegisterStoreResponse["stores"] }> {
    const { connection, self, clusterVersion } = this.#options;
    const known = this.storedIdent();
    const request = create(RegisterStoreRequestSchema, {
      storeId: BigInt(known?.storeId ?? 0),
      clusterId: BigInt(known?.clusterId ?? 0),
      address: self.address,
      httpAddress: self.httpAddress,
      labels: { ...self.labels },
      programVersion: PROGRAM_VERSION,
      clusterVersion: clusterVersion.newest,
      bootId: BigInt(self.bootId),
      registrationToken: token,
    });
    const response = await connection.call((client, options) => client.registerStore(request, options));
    const ident: StoreIdent = {
      kind: "Store",
      clusterId: safeInteger(response.clusterId, "cluster id"),
      storeId: storeId(response.storeId),
    };
    if (known === undefined) {
      await this.#write((part) => writeIdent(part, ident));
    } else if (ident.clusterId !== known.clusterId || ident.storeId !== known.storeId) {
      throw new RdbError(
        "RDB_CLUSTER_MISMATCH",
        `the placement driver calls this Store ${ident.storeId} of cluster ${ident.clusterId}, its data says ${known.storeId} of ${known.clusterId}`,
      );
    }
    clusterVersion.learn(response.clusterVersion);
    await clusterVersion.settled();
    return { ident, stores: response.stores };
  }

  /** Drawn once and durable before it is first used, so that a lost answer does not cost a second id. */
  async #token(): Promise<string> {
    const { engine, random } = this.#options;
    const stored = engine.get("meta", TOKEN_KEY);
    if (stored !== undefined) {
      return new TextDecoder().decode(stored);
    }
    const bytes = Uint8Array.from({ length: TOKEN_BYTES }, () => random.nextInt(256));
    const token = Buffer.from(bytes).toString("hex");
    await this.#write((part) => part.put("meta", TOKEN_KEY, new TextEncoder().encode(token)));
    return token;
  }

  async #write(fill: (part: WritePart) => void): Promise<void> {
    const part = new WritePart();
    fill(part);
    part.sync = true;
    this.#options.engine.submit(part);
    await this.#options.engine.flush();
  }
}
