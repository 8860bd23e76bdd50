import { RdbError, errorCodes } from "@flaredb/rdb-base";
import type { RdbClient, ReadFrom } from "@flaredb/rdb-client";
import type { CallFrame, Outcome } from "../check/history.ts";
import type { CallRecorder, Ended } from "../workload/call-recorder.ts";

export interface ScenarioClientOptions {
  /** Who calls, in the history. */
  readonly name: string;
  readonly recorder: CallRecorder;
  /** The client that runs in the process now, if one does. */
  readonly running: () => RdbClient | undefined;
}

export interface ScenarioCall {
  readonly deadlineMs?: number;
  readonly readFrom?: ReadFrom;
}

/** A client that does what a scenario says, call by call. What it does is noted in the history. */
export class ScenarioClient {
  readonly name: string;
  readonly #options: ScenarioClientOptions;

  constructor(options: ScenarioClientOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** @throws RdbError as `RdbClient.put` */
  async put(key: string, value: string, options: ScenarioCall = {}): Promise<void> {
    const mutations = [{ key, value }];
    const unanswered = (frame: CallFrame) => [{ ...frame, op: "put", mutations } as const];
    await this.#call({ command: "put", keys: [key], unanswered }, (client) =>
      client.put(key, value, options),
    );
  }

  /** @throws RdbError as `RdbClient.delete` */
  async delete(key: string, options: ScenarioCall = {}): Promise<void> {
    const mutations = [{ key, value: undefined }];
    const unanswered = (frame: CallFrame) => [{ ...frame, op: "delete", mutations } as const];
    await this.#call({ command: "delete", keys: [key], unanswered }, (client) => client.delete(key, options));
  }

  /** The value; undefined when there is no such key. @throws RdbError as `RdbClient.get` */
  async get(key: string, options: ScenarioCall = {}): Promise<string | undefined> {
    const unanswered = (frame: CallFrame) => [
      { ...frame, outcome: "fail", op: "get", keys: [key], rows: [] } as const,
    ];
    const row = await this.#call({ command: "get", keys: [key], unanswered }, (client) =>
      client.get(key, options),
    );
    return row?.text();
  }

  async #call<Result>(
    plan: Parameters<CallRecorder["call"]>[1],
    run: (client: RdbClient) => Promise<Result>,
  ): Promise<Result> {
    const client = this.#options.running();
    if (client === undefined) {
      throw new RdbError("RDB_CLOSED", `${this.name} does not run`);
    }
    const ended: Ended<Result> = await this.#options.recorder.call(this.name, plan, () => run(client));
    if (ended.outcome !== "ok") {
      throw ended.error;
    }
    return ended.result;
  }
}

/** What the error of a write promises about it. */
export function outcomeOf(error: unknown): Exclude<Outcome, "ok"> {
  return error instanceof RdbError && errorCodes[error.code].write === "not applied" ? "fail" : "unknown";
}
