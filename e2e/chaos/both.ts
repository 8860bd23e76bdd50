import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "./chaos-cluster.ts";
import type { Fault, Nemesis } from "./nemesis.ts";

/** A nemesis with a mild one beside it, which changes nothing of what the first one promises. */
export class Both implements Nemesis {
  readonly name: string;
  readonly lastsMs: Nemesis["lastsMs"];
  readonly majorityStays: boolean;
  readonly means: Nemesis["means"];
  readonly isMild = false;
  readonly #main: Nemesis;
  readonly #beside: Nemesis;

  constructor(main: Nemesis, beside: Nemesis) {
    this.name = `${main.name} + ${beside.name}`;
    this.lastsMs = main.lastsMs;
    this.majorityStays = main.majorityStays;
    this.means = main.means;
    this.#main = main;
    this.#beside = beside;
  }

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const beside = await this.#beside.begin(cluster, random);
    const main = await this.#main.begin(cluster, random);
    const outcomes = [main.outcome, beside.outcome].filter((outcome) => outcome !== undefined);
    return {
      text: `${main.text}; ${beside.text}`,
      // The mild one first: what was killed starts, and fills up, in a world that is as it should be.
      end: async () => {
        await beside.end();
        await main.end();
      },
      ...(outcomes.length === 0 ? {} : { outcome: () => outcomes.map((outcome) => outcome()).join(", ") }),
    };
  }
}
