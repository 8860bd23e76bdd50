import { RdbError } from "@flaredb/rdb-base";
import type { OperatorRecord } from "../operator/operator-record.ts";
import type { OperatorRunner } from "../operator/operator-runner.ts";
import { refused } from "./admin-scene.ts";

/** What people may know of operators, and their way to end one. */
export class OperatorCommands {
  readonly #operators: OperatorRunner;

  constructor(operators: OperatorRunner) {
    this.#operators = operators;
  }

  /** Those that wait or run. */
  list(): OperatorRecord[] {
    return this.#operators.controller.active();
  }

  /** @throws RdbError RDB_NOT_FOUND, also for one that ended too long ago */
  get(id: number): OperatorRecord {
    const record = this.#operators.controller.find(id);
    if (record === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `operator ${id} is not known, or ended too long ago`);
    }
    return record;
  }

  /** @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT when it has ended */
  cancel(id: number): OperatorRecord {
    const { controller } = this.#operators;
    const cancelled = controller.cancel(id, "by-admin", "cancelled by a person", this.#operators.now());
    if (cancelled === undefined) {
      throw refused(`operator ${id} has ended already: ${this.get(id).state}`);
    }
    return cancelled;
  }

  history(limit: number, regionId: number | undefined): OperatorRecord[] {
    return this.#operators.controller.history.latest(limit, regionId);
  }
}
