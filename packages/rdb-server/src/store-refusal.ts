import { type Clock, type Logger, RdbError, SECOND_MS } from "@flaredb/rdb-base";
import { type Engine, hasLostMark, readIdentOf, writeLostMark } from "@flaredb/rdb-storage";

export interface StoreRefusalOptions {
  readonly engine: Pick<Engine, "submit" | "flush">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The process has to end. */
  readonly onFatal: (error: RdbError) => void;
}

/** A disk that does not take the mark until then is left alone: the process ends without it. */
const MARK_TIMEOUT_MS = 10 * SECOND_MS;

/**
 * What becomes of a Store that PD does not want: the process ends. One that was given up as lost answers nobody from that
 * moment on, and notes it in its data folder first, so that a restart without PD does not serve what is out of date.
 */
export class StoreRefusal {
  readonly #options: StoreRefusalOptions;
  readonly #cuts: (() => unknown)[] = [];
  #isLost = false;

  constructor(options: StoreRefusalOptions) {
    this.#options = options;
  }

  /** How to cut off, at once, something through which others are answered. */
  cutsOff(cut: () => unknown): void {
    this.#cuts.push(cut);
  }

  /** PD said it. Further calls for a Store that is lost do nothing. */
  refused(error: RdbError): void {
    if (error.code !== "RDB_STORE_LOST") {
      this.#options.onFatal(error);
      return;
    }
    if (!this.#isLost) {
      this.#isLost = true;
      void this.#endLost(error);
    }
  }

  async #endLost(error: RdbError): Promise<void> {
    const { engine, clock, logger, onFatal } = this.#options;
    this.#cuts.forEach((cut) => void cut());
    const late = Promise.withResolvers<"late">();
    const timer = clock.setTimer(MARK_TIMEOUT_MS, () => late.resolve("late"));
    try {
      if ((await Promise.race([writeLostMark(engine), late.promise])) === "late") {
        logger.error(
          { timeoutMs: MARK_TIMEOUT_MS },
          "the disk did not take the note that this Store is lost",
        );
      }
    } catch (failure) {
      const reason = RdbError.from(failure).message;
      logger.error({ reason }, "it cannot be noted in the data folder that this Store is lost");
    } finally {
      timer.cancel();
    }
    onFatal(error);
  }
}

/** @throws RdbError RDB_STORE_LOST when a former run was told that this Store is given up as lost */
export function refuseLostStore(engine: Engine): void {
  if (!hasLostMark(engine)) {
    return;
  }
  const ident = readIdentOf(engine, "Store");
  const who = ident === undefined ? "this Store" : `store ${ident.storeId} of cluster ${ident.clusterId}`;
  throw new RdbError(
    "RDB_STORE_LOST",
    `${who} was given up as lost when regions were recovered without it, and its data folder says so: what it has is out of date and must not be served; start it with an empty data folder to get a new id, and see docs/disaster-recovery.md for what can be done with the old one`,
    { details: { ...ident } },
  );
}
