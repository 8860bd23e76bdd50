import { Code, ConnectError } from "@connectrpc/connect";
import { type PeerRole, type Region, type StoreId, keyInRange } from "@flaredb/rdb-base";
import { type Operator, OperatorState } from "@flaredb/rdb-proto";
import type { AdminProgram } from "../cluster/admin-program.ts";
import { newestRegions, peersOf } from "../cluster/region-view.ts";
import type { Scenario, StoreMember } from "./scenario.ts";

type AdminClient = AdminProgram["client"];
type Command = (client: AdminClient) => Promise<{ readonly operator?: Operator | undefined }>;

const POLL_MS = 20;
/** Longest time that one operator may take, in virtual ms. */
const OPERATOR_MAX_MS = 100_000;

/** What an administrator does on a scenario's cluster, and sees of it. */
export class ScenarioAdmin {
  readonly #scenario: Scenario;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** Asks PD, over the network. @throws ConnectError that PD refuses with */
  call<Answer>(make: (client: AdminClient) => Promise<Answer>): Promise<Answer> {
    const { admin } = this.#scenario.cluster;
    const called = new Promise<Answer>((resolve, reject) => {
      admin.process.call(({ client }) => void make(client).then(resolve, reject));
    });
    return this.#scenario.complete(called);
  }

  /**
   * Begins an operator; asked again, as people do, while the Region is in the middle of another change.
   *
   * @throws ConnectError that PD refuses with
   */
  async begin(command: Command): Promise<Operator> {
    const deadlineMs = this.#scenario.nowMs + OPERATOR_MAX_MS;
    for (;;) {
      try {
        const { operator } = await this.call(command);
        if (operator === undefined) {
          throw new Error("PD has begun no operator");
        }
        return operator;
      } catch (error) {
        const isBusy = error instanceof ConnectError && error.code === Code.ResourceExhausted;
        if (!isBusy || this.#scenario.nowMs > deadlineMs) {
          throw error;
        }
      }
      await this.#scenario.run(POLL_MS);
    }
  }

  /** Begins an operator and waits until it ended. @returns as it ended */
  async run(command: Command): Promise<Operator> {
    const { id } = await this.begin(command);
    return this.ended(id);
  }

  /** Waits until the operator ended. */
  ended(operatorId: bigint): Promise<Operator> {
    return this.#until(operatorId, () => false);
  }

  /** Waits until PD knows that the operator's step is made, or it ended without. */
  async stepMade(operatorId: bigint, step: number): Promise<void> {
    await this.#until(operatorId, ({ currentStep }) => currentStep > step);
  }

  async #until(operatorId: bigint, isEnough: (operator: Operator) => boolean): Promise<Operator> {
    const deadlineMs = this.#scenario.nowMs + OPERATOR_MAX_MS;
    for (;;) {
      const { operator } = await this.call((client) => client.getOperator({ operatorId }));
      const isOver = operator?.state !== OperatorState.WAITING && operator?.state !== OperatorState.RUNNING;
      if (operator !== undefined && (isOver || isEnough(operator) || this.#scenario.nowMs > deadlineMs)) {
        return operator;
      }
      await this.#scenario.run(POLL_MS);
    }
  }

  /** The Region that has the key, as the newest of its peers knows it. */
  regionOf(key: string): Region {
    const found = newestRegions(this.#scenario.stores).find((region) => keyInRange(Buffer.from(key), region));
    if (found === undefined) {
      throw new Error(`no Region has "${key}"`);
    }
    return found;
  }

  storeId(store: StoreMember): bigint {
    const id = store.process.running?.ident.storeId;
    if (id === undefined) {
      throw new Error(`${store.name} does not run`);
    }
    return BigInt(id);
  }

  /** The Stores that have a peer of the key's Region, in one of these roles. */
  storesOf(key: string, ...roles: readonly PeerRole[]): StoreMember[] {
    const { peers } = this.regionOf(key);
    const of = (id: StoreId | undefined): boolean =>
      peers.some(({ storeId, role }) => storeId === id && (roles.length === 0 || roles.includes(role)));
    return this.#scenario.stores.filter(({ process }) => of(process.running?.ident.storeId));
  }

  /** Regions that the Store has an initialised peer of. */
  regionCount(store: StoreMember): number {
    return peersOf([store]).length;
  }

  addPeer(key: string, to: StoreMember): Promise<Operator> {
    const ids = { regionId: BigInt(this.regionOf(key).id), storeId: this.storeId(to) };
    return this.run((client) => client.addPeer(ids));
  }

  removePeer(key: string, from: StoreMember): Promise<Operator> {
    const ids = { regionId: BigInt(this.regionOf(key).id), storeId: this.storeId(from) };
    return this.run((client) => client.removePeer(ids));
  }

  movePeer(key: string, from: StoreMember, to: StoreMember): Promise<Operator> {
    const regionId = BigInt(this.regionOf(key).id);
    const ids = { regionId, fromStoreId: this.storeId(from), toStoreId: this.storeId(to) };
    return this.run((client) => client.movePeer(ids));
  }

  /** The key begins a Region of its own. */
  splitAt(key: string): Promise<Operator> {
    const regionId = BigInt(this.regionOf(key).id);
    return this.run((client) => client.splitRegionAt({ regionId, keys: [Buffer.from(key)] }));
  }
}
