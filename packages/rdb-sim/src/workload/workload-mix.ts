import type { Clock, Random } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import type { Violation } from "../check/violation.ts";
import { BankWorkload } from "./bank-workload.ts";
import type { CallRecorder } from "./call-recorder.ts";
import { ListWorkload } from "./list-workload.ts";
import { PrefixWorkload } from "./prefix-workload.ts";
import { RecordedClient } from "./recorded-client.ts";
import { RegisterWorkload } from "./register-workload.ts";
import type { Workload } from "./workload.ts";

/** A process with a production client, whose `onAnswer` is the recorder's. */
export interface Application {
  readonly name: string;
  readonly recorder: CallRecorder;
  /** Undefined while the process does not run. */
  readonly client: () => RdbClient | undefined;
}

export interface WorkloadMixOptions {
  readonly applications: readonly Application[];
  /** Beginnings of keys, one in each Region. What begins with them belongs to the mix. Ascending. */
  readonly prefixes: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** A client rests up to this long between calls. */
  readonly pauseMaxMs: number;
}

/** Clients of the register workload in each application; the other workloads have one there. */
const REGISTER_CLIENT_COUNT = 2;
const REGISTER_KEYS_PER_REGION = 2;

/** All workloads at once, over all Regions and through all applications. They start with the constructor. */
export class WorkloadMix implements Workload {
  readonly #workloads: readonly Workload[];

  constructor({ applications, prefixes, clock, random, pauseMaxMs }: WorkloadMixOptions) {
    const clientsFor = (purpose: string, count = 1): RecordedClient[] =>
      applications.flatMap((application) =>
        Array.from({ length: count }, (_, place) => {
          const name = `${application.name}.${purpose}${count === 1 ? "" : place}`;
          return new RecordedClient({ ...application, name });
        }),
      );
    const common = { clock, random, pauseMaxMs };
    const prefixAt = (place: number): string => prefixes[place % prefixes.length] as string;
    this.#workloads = [
      new RegisterWorkload({
        ...common,
        clients: clientsFor("register", REGISTER_CLIENT_COUNT),
        groups: prefixes.map((prefix) =>
          Array.from({ length: REGISTER_KEYS_PER_REGION }, (_, place) => `${prefix}r${place}`),
        ),
      }),
      new PrefixWorkload({
        ...common,
        clients: clientsFor("own"),
        prefixOf: (place) => `${prefixAt(place)}o `,
      }),
      new ListWorkload({
        ...common,
        clients: clientsFor("list"),
        keys: prefixes.map((prefix) => `${prefix}l`),
      }),
      new BankWorkload({
        ...common,
        clients: clientsFor("bank"),
        prefix: `${prefixAt(random.nextInt(prefixes.length))}b `,
      }),
    ];
  }

  get violations(): readonly Violation[] {
    return this.#workloads.flatMap((workload) => workload.violations);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workloads.map((workload) => workload.stop()));
  }

  async finish(client: RecordedClient): Promise<void> {
    for (const workload of this.#workloads) {
      await workload.finish(client);
    }
  }
}
