import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@flaredb/rdb-base";
import { type Call, historyLines } from "@flaredb/rdb-sim/history";
import { rdb } from "../run-cli.ts";
import { pause, waitFor } from "../wait.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { Both } from "./both.ts";
import { HistoryChecker } from "./history-checker.ts";
import { Load } from "./load.ts";
import type { Nemesis } from "./nemesis.ts";
import { type PlannedFault, drawPlan } from "./plan.ts";
import { ResourceWatch } from "./resource-watch.ts";
import { Timeline } from "./timeline.ts";
import type { EndedFault, Findings } from "./verdict.ts";

/** A run gives up when writes have not resumed by then. */
const RECOVERY_TIMEOUT_MS = 180_000;
/** Histories that wait to be checked, each of some thousand calls: a run waits for the checks rather than gather more. */
const UNCHECKED_MAX_COUNT = 3;
/** Of each kind of finding; more tell nothing new. */
const FINDINGS_MAX_COUNT = 100;

export interface RunOptions {
  readonly seed: number;
  /** Faults begin for so long. */
  readonly durationMs: number;
  /** Every fault is as short as its kind allows, so that many kinds come. */
  readonly areBrief: boolean;
  readonly nemeses: readonly Nemesis[];
  readonly print: (line: string) => void;
}

/** One run: faults one after the other under load, and what was found. */
export class ChaosRun {
  readonly timeline: Timeline;
  readonly resources: ResourceWatch;
  #roundCount = 0;
  readonly #cluster: ChaosCluster;
  readonly #options: RunOptions;
  readonly #load: Load;
  readonly #checker = new HistoryChecker();
  readonly #checks = new Set<Promise<void>>();
  readonly #lost: string[] = [];
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
    this.resources = new ResourceWatch(cluster);
  }

  /** Ends when the time is over, or at the first thing that is not as promised. */
  async play(): Promise<Findings> {
    this.timeline.start();
    this.resources.start();
    try {
      await this.#playPlan();
    } catch (error) {
      this.#troubles.push(describe(error));
    }
    // From here on nobody writes: a line a second would show that as a gap.
    this.timeline.stop();
    this.resources.stop();
    const longestGapMs = this.#load.longestGapMs(performance.now());
    await this.#readBack();
    const differing = await this.#compareReplicas();
    await Promise.all(this.#checks);
    await this.#checker.close();
    return {
      anomalies: this.#anomalies,
      lost: this.#lost,
      differing,
      givenUp: this.#load.lanes.flatMap(({ failures }) => failures),
      troubles: [...this.#troubles, ...this.#cluster.unexpectedEnds()],
      faults: this.#faults,
      longestGapMs,
      acknowledgedCount: this.#load.writeCount,
      checkedCallCount: this.#load.callCount,
    };
  }

  async #playPlan(): Promise<void> {
    const { seed, nemeses, durationMs } = this.#options;
    const plan = drawPlan(seed, nemeses, this.#options.areBrief);
    while (this.timeline.nowMs() < durationMs && this.#anomalies.length + this.#lost.length === 0) {
      const fault = plan.next().value;
      await this.#load.beginRound();
      await pause(fault.calmMs);
      await this.#playFault(fault);
      await this.#endRound();
    }
  }

  async #playFault({ nemesis: main, beside, lastsMs, seed }: PlannedFault<Nemesis>): Promise<void> {
    const nemesis = beside === undefined ? main : new Both(main, beside);
    const { timeline } = this;
    const { lanes } = this.#load;
    const fromMs = timeline.nowMs();
    lanes.forEach(({ gaps }) => gaps.mark());
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
    const gapMs = this.#load.longestGapSinceMarkMs(performance.now());
    const ended = { text: fault.text, fromMs, toMs, backMs, recoveryMs, gapMs };
    this.#faults.push({
      name: main.name,
      ...(beside === undefined ? {} : { beside: beside.name }),
      ...ended,
    });
    const came = fault.outcome === undefined ? "" : `, ${fault.outcome()}`;
    timeline.event(
      recoveryMs === undefined
        ? `${nemesis.name} is over${came}, but writes do not resume`
        : `${nemesis.name} is over${came}: all serve after ${(backMs / 1000).toFixed(2)} s, every lane writes after ${(recoveryMs / 1000).toFixed(2)} s`,
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

  /** Judges the round, and takes away what it left: neither memory nor disks grow with the length of a run. */
  async #endRound(): Promise<void> {
    const { history, violations } = await this.#load.endRound();
    this.#roundCount++;
    note(
      this.#anomalies,
      violations.map(({ name, message }) => `${name}: ${message}`),
    );
    const check: Promise<void> = this.#check(history.calls, this.#roundCount).finally(() =>
      this.#checks.delete(check),
    );
    this.#checks.add(check);
    while (this.#checks.size > UNCHECKED_MAX_COUNT) {
      await Promise.race(this.#checks);
    }
    note(this.#lost, await this.#load.tidyUp());
  }

  async #check(calls: readonly Call[], round: number): Promise<void> {
    const anomalies = await this.#checker.check(calls);
    if (anomalies.length > 0) {
      note(this.#anomalies, anomalies);
      const file = join(this.#cluster.folder, `history-${round}.jsonl`);
      writeFileSync(file, [...historyLines(calls)].join(""));
      this.timeline.event(`not linearizable: ${file}`);
    }
  }

  /** What was acknowledged has to be there. */
  async #readBack(): Promise<void> {
    const { lanes } = this.#load;
    await Promise.all(lanes.map((lane) => lane.stop()));
    this.timeline.event("reading every acknowledged write back");
    try {
      const client = await this.#cluster.connect(RECOVERY_TIMEOUT_MS);
      note(this.#lost, (await Promise.all(lanes.map((lane) => lane.readBack(client)))).flat());
    } catch (error) {
      // Unread is unproved.
      this.#lost.push(`the rows could not be read back: ${describe(error)}`);
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

/** What a finding adds to the others. */
function note(findings: string[], more: readonly string[]): void {
  findings.push(...more.slice(0, Math.max(0, FINDINGS_MAX_COUNT - findings.length)));
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `, since ${describe(error.cause)}` : "";
  return `${String(error)}${cause}`;
}
