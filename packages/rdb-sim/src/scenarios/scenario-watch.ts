import type { Logger } from "@flaredb/rdb-base";
import type { ClusterWatcher } from "../cluster/sim-cluster.ts";
import type { ProcessEvent } from "../cluster/sim-process.ts";
import type { Violation } from "../check/violation.ts";
import { LogBook, formatLine } from "../run/log-book.ts";

/** Newest lines that a failure shows. */
const TAIL_COUNT = 60;

/** Watches a scenario's cluster while it runs, and collects what must never happen. */
export class ScenarioWatch implements ClusterWatcher {
  readonly #logs: LogBook;
  readonly #nowMs: () => number;
  /** Who leads, by Region and term. */
  readonly #leaders = new Map<string, string>();
  readonly #violations: string[] = [];
  readonly #messageCounts = new Map<string, number>();
  #elections = 0;
  /** Is told of every start and end too. */
  onProcess: ((name: string, event: ProcessEvent) => void) | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#logs = new LogBook(nowMs, (line) => {
      this.#messageCounts.set(line.message, this.countOf(line.message) + 1);
      if (line.level === "error") {
        this.#violations.push(`an error is logged: ${formatLine(line)}`);
      }
      if (line.message === "role or leader changed" && line.fields["role"] === "Leader") {
        this.#leads(
          `Region ${String(line.fields["region"])} in term ${String(line.fields["term"])}`,
          line.process,
        );
      }
    });
  }

  /** What happened that must not, in words. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Something else saw what must not be. */
  violated({ name, message }: Violation): void {
    this.#violations.push(`${name} at ${this.#nowMs()} ms: ${message}`);
  }

  /** How often somebody became leader. */
  get electionCount(): number {
    return this.#elections;
  }

  /** How often this was logged, by anybody. */
  countOf(message: string): number {
    return this.#messageCounts.get(message) ?? 0;
  }

  /** The newest lines of all logs. */
  tail(): string {
    return this.#logs.tail().slice(-TAIL_COUNT).join("\n");
  }

  loggerOf(process: string): Logger {
    return this.#logs.loggerOf(process);
  }

  processEvent(name: string, event: ProcessEvent): void {
    this.onProcess?.(name, event);
    if (event === "fatal") {
      this.#violations.push(`${name} ended by itself at ${this.#nowMs()} ms`);
    }
  }

  processFailed(name: string, doing: "start" | "run" | "stop", error: unknown): void {
    this.#violations.push(`${name} cannot ${doing}: ${String(error)}`);
  }

  diskEvent(): void {}

  faultEvent(): void {}

  #leads(what: string, process: string): void {
    const other = this.#leaders.get(what);
    this.#elections++;
    if (other !== undefined && other !== process) {
      this.#violations.push(`both ${other} and ${process} lead ${what}`);
    }
    this.#leaders.set(what, process);
  }
}
