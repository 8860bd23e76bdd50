import type { GetClusterInfoResponse } from "@flaredb/rdb-proto";
import { type ClusterPlan, type MemberPlan, pdAddresses, rpcAddress } from "./plan.ts";
import { waitUntilServing } from "./readiness.ts";
import { Restarter } from "./restarter.ts";

/** One thing that a start waits for. */
export interface StartStep<Result> {
  readonly title: string;
  readonly done: Promise<Result>;
}

/** What a start waits for: the processes, side by side, then the cluster as a whole. */
export interface StartSteps {
  readonly processes: readonly StartStep<void>[];
  readonly cluster: StartStep<GetClusterInfoResponse>;
}

/** All processes of a playground. */
export class Supervisor {
  readonly #plan: ClusterPlan;
  readonly #say: (line: string) => void;
  #pds: readonly Restarter[] = [];
  #stores: readonly Restarter[] = [];

  constructor(plan: ClusterPlan, say: (line: string) => void) {
    this.#plan = plan;
    this.#say = say;
  }

  /**
   * Starts everything at once. `cluster.done` rejects when a process ends before it serves, the cluster does not come
   * up, or `signal` fires; what runs then is the caller's to stop.
   */
  start(signal: AbortSignal): StartSteps {
    const begin = (plan: MemberPlan): Restarter => new Restarter(plan, this.#say);
    this.#pds = this.#plan.pds.map(begin);
    this.#stores = this.#plan.stores.map(begin);
    const processes = this.#all().map((member) => ({
      title: `${member.plan.name} on ${rpcAddress(member.plan)}`,
      done: member.ready,
    }));
    return { processes, cluster: { title: "Regions and their leaders", done: this.#becomeReady(signal) } };
  }

  /** Stops the Stores, which hand their leaderships over, and then PD, which until then may be asked. */
  async stop(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.stop()));
    await Promise.all(this.#pds.map((pd) => pd.stop()));
  }

  /** Ends everything at once. */
  kill(): void {
    for (const member of this.#all()) {
      member.kill();
    }
  }

  async #becomeReady(signal: AbortSignal): Promise<GetClusterInfoResponse> {
    const failure = Promise.all(this.#all().map((member) => member.ready));
    const aborter = new AbortController();
    const serving = waitUntilServing(
      pdAddresses(this.#plan),
      this.#plan.stores.length,
      AbortSignal.any([signal, aborter.signal]),
    );
    try {
      const [info] = await Promise.all([serving, failure]);
      for (const member of this.#all()) {
        member.keepRunning();
      }
      return info;
    } finally {
      aborter.abort();
      // When a process failed first, nobody waits for this one any more.
      serving.catch(() => {});
    }
  }

  #all(): Restarter[] {
    return [...this.#pds, ...this.#stores];
  }
}
