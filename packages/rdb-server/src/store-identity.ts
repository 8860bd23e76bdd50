import type { Clock, Logger, Random } from "@flaredb/rdb-base";
import type { Engine, StoreIdent } from "@flaredb/rdb-storage";
import type { Wire } from "@flaredb/rdb-wire";
import type { StoreConfig } from "./config.ts";
import { PdConnection } from "./pd/pd-connection.ts";
import { Registration } from "./pd/registration.ts";
import { randomId } from "./random-id.ts";
import type { ClusterVersion } from "./store/cluster-version.ts";
import { AddressBook } from "./transport/address-book.ts";

export interface StoreIdentityOptions {
  readonly config: Pick<StoreConfig, "pdAddresses" | "outgoingHost" | "labels" | "pd">;
  readonly engine: Engine;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** host:port at which others reach the Store. */
  readonly address: string;
  readonly httpAddress: string;
  readonly clusterVersion: ClusterVersion;
}

/** Who a Store is, and whom it knows. */
export class StoreIdentity {
  readonly connection: PdConnection;
  readonly registration: Registration;
  readonly addressBook: AddressBook;
  /** Drawn by this start of the process. */
  readonly bootId: number;

  constructor(options: StoreIdentityOptions) {
    const { config, engine, wire, clock, random, logger, address, httpAddress, clusterVersion } = options;
    this.bootId = randomId(random);
    this.connection = new PdConnection({
      wire,
      addresses: config.pdAddresses,
      localAddress: config.outgoingHost,
      callTimeoutMs: config.pd.callTimeoutMs,
    });
    const self = { address, httpAddress, labels: config.labels, bootId: this.bootId };
    const { connection } = this;
    this.registration = new Registration({ engine, connection, self, clusterVersion, clock, random, logger });
    this.addressBook = new AddressBook(engine, logger);
  }

  /**
   * The stored identity; a new Store's comes from PD, which is waited for.
   *
   * @throws RdbError as `Registration.register`
   */
  async establish(signal: AbortSignal): Promise<{ readonly ident: StoreIdent; readonly isNew: boolean }> {
    const stored = this.registration.storedIdent();
    if (stored !== undefined) {
      return { ident: stored, isNew: false };
    }
    const { ident, stores } = await this.registration.register(signal);
    this.addressBook.update(stores);
    return { ident, isNew: true };
  }
}
