import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@flaredb/rdb-base";
import { historyLines } from "@flaredb/rdb-sim/history";
import { rdb } from "../run-cli.ts";
import { pause, waitFor } from "../wait.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { HistoryChecker } from "./history-checker.ts";
import { Load } from "./load.ts";
import type { Nemesis } from "./nemesis.ts";
import { type PlannedFault, drawPlan } from "./plan.ts";
import { Timeline } from "./timeline.ts";
import type { EndedFault, Findings } from "./verdict.ts";

/** A run gives up when writes have not resumed by then. */
const RECOVERY_TIMEOUT_MS = 60_000;

export interface RunOptions {
  readonly seed: number;
  /** Faults begin for so long. */
  readonly durationMs: number;
  readonly nemeses: readonly Nemesis[];
  readonly print: (line: string) => void;
}

/** One run: faults one after the other under load, and what was found. */
export class ChaosRun {
  readonly timeline: Timeline;
  readonly #cluster: ChaosCluster;
  readonly #options: RunOptions;
  readonly #load: Load;
  readonly #checker = new HistoryChecker();
  readonly #checks: Promise<void>[] = [];
  readonly #faults: EndedFault[] = [];
  readonly #anomalies: string[] = [];
  readonly #troubles: string[] = [];

  static async start(cluster: ChaosCluster, options: RunOptions): Promise<ChaosRun> {
    return new ChaosRun(cluster, options, await Load.start(cluster, new SeededRandom(options.seed)));
  }

  private constructor(cluster: ChaosCluster, options: RunOptions, load: Load) {
    this.#cluster = cluster;
    this.#options = options;
    this.#load = load;
    this.timeline = new Timeline(load, options.print);
  }

  /** Ends when the time is over, or at the first thing that is not as promised. */
  async play(): Promise<Findings> {
    this.timeline.start();
    try {
      await this.#playPlan();
    } catch (error) {
      this.#troubles.push(describe(error));
    }
    // From here on nobody writes: a line a second would show that as a gap.
    this.timeline.stop();
    const longestGapMs = this.#load.longestGapMs(performance.now());
    const lost = await this.#readBack();
    const differing = await this.#compareReplicas();
    await Promise.all(this.#checks);
    await this.#checker.close();
    return {
      anomalies: this.#anomalies,
      lost,
      differing,
      troubles: [...this.#troubles, ...this.#cluster.unexpectedEnds()],
      faults: this.#faults,
      longestGapMs,
      acknowledgedCount: this.#load.writeCount,
      checkedCallCount: this.#load.callCount,
    };
  }

  async #playPlan(): Promise<void> {
    const { seed, nemeses, durationMs } = this.#options;
    const plan = drawPlan(seed, nemeses);
    while (this.timeline.nowMs() < durationMs && this.#anomalies.length === 0) {
      const fault = plan.next().value;
      await this.#load.beginRound();
      await pause(fault.calmMs);
      await this.#playFault(fault);
      await this.#endRound();
    }
  }

  async #playFault({ nemesis, lastsMs, seed }: PlannedFault<Nemesis>): Promise<void> {
    const { timeline } = this;
    const { lanes } = this.#load;
    const fromMs = timeline.nowMs();
    const gapBeforeMs = this.#load.longestGapMs(performance.now());
    if (!nemesis.majorityStays) {
      lanes.forEach(({ gaps }) => gaps.majorityLost(performance.now()));
    }
    timeline.setFault(nemesis.name);
    const fault = await nemesis.begin(this.#cluster, new SeededRandom(seed));
    timeline.event(`${nemesis.name}: ${fault.text}, for ${(lastsMs / 1000).toFixed(1)} s`);
    await pause(lastsMs);
    const toMs = timeline.nowMs();
    const endedMs = performance.now();
    const recovered = this.#recovery(endedMs);
    await fault.end();
    const backMs = performance.now() - endedMs;
    const recoveryMs = await recovered;
    lanes.forEach(({ gaps }) => gaps.majorityIsBack());
    timeline.setFault("");
    const gapAfterMs = this.#load.longestGapMs(performance.now());
    const gapMs = gapAfterMs > gapBeforeMs ? gapAfterMs : 0;
    this.#faults.push({ name: nemesis.name, text: fault.text, fromMs, toMs, backMs, recoveryMs, gapMs });
    timeline.event(
      recoveryMs === undefined
        ? `${nemesis.name} is over, but writes do not resume`
        : `${nemesis.name} is over: all serve after ${(backMs / 1000).toFixed(2)} s, every lane writes after ${(recoveryMs / 1000).toFixed(2)} s`,
    );
    if (recoveryMs === undefined) {
      throw new Error(`after ${nemesis.name} writes did not resume in ${RECOVERY_TIMEOUT_MS} ms`);
    }
  }

  /** @returns how long after `sinceMs` every lane had written; undefined when it did not come to that */
  async #recovery(sinceMs: number): Promise<number | undefined> {
    try {
      return await waitFor("a write in every lane", RECOVERY_TIMEOUT_MS, () => {
        const { lanes } = this.#load;
        return lanes.every((lane) => lane.hasWrittenSince(sinceMs)) && performance.now() - sinceMs;
      });
    } catch {
      // It is told as a fault without recovery, with its name.
      return undefined;
    }
  }

  async #endRound(): Promise<void> {
    const { history, violations } = await this.#load.endRound();
    this.#anomalies.push(...violations.map(({ name, message }) => `${name}: ${message}`));
    const check = this.#checker.check(history.calls).then((anomalies) => {
      if (anomalies.length === 0) {
        return;
      }
      this.#anomalies.push(...anomalies);
      const file = join(this.#cluster.folder, `history-${this.#checks.length}.jsonl`);
      writeFileSync(file, [...historyLines(history.calls)].join(""));
      this.timeline.event(`not linearizable: ${file}`);
    });
    this.#checks.push(check);
  }

  /** @returns in words what was acknowledged and is not there */
  async #readBack(): Promise<string[]> {
    const { lanes } = this.#load;
    await Promise.all(lanes.map((lane) => lane.stop()));
    this.#troubles.push(...lanes.flatMap(({ failures }) => failures));
    this.timeline.event("reading every acknowledged write back");
    try {
      const client = await this.#cluster.connect(RECOVERY_TIMEOUT_MS);
      return (await Promise.all(lanes.map((lane) => lane.lost(client)))).flat();
    } catch (error) {
      // Unread is unproved.
      return [`the rows could not be read back: ${describe(error)}`];
    }
  }

  /** @returns in words which Regions have peers that are not equal */
  async #compareReplicas(): Promise<string[]> {
    this.timeline.event("comparing the peers of every Region");
    try {
      const leader = await this.#cluster.pdLeader();
      const { exitCode, stdout, stderr } = await rdb(["--pd", leader.address, "region", "check"]);
      return exitCode === 0 ? [] : [`rdb region check exits with ${exitCode}:\n${stdout}${stderr}`];
    } catch (error) {
      // Not compared is not equal.
      return [`the peers could not be compared: ${describe(error)}`];
    }
  }
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `, since ${describe(error.cause)}` : "";
  return `${String(error)}${cause}`;
}
