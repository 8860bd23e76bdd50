import { type RdbClient, RdbError, Row } from "@flaredb/rdb-client";

type Method = "put" | "get" | "scan" | "batchGet" | "compareAndSwap" | "conditionalBatch";

/** What becomes of one call: `lose` and `refuse` answer with an error, after the effect or instead of it. */
export type Fate = "serve" | "lose" | "refuse";

/** As much of a client as workloads use, over rows in memory. Tests make it lie. */
export class StubClient {
  readonly rows = new Map<string, { readonly value: string; readonly version: number }>();
  /** What happens to each call; the default serves. */
  fate: (method: Method) => Fate = () => "serve";
  #revision = 0;

  /** For whoever wants a real one. */
  get asClient(): RdbClient {
    return this as unknown as RdbClient;
  }

  put(key: string, value: string): Promise<{ readonly version: number }> {
    return this.#do("put", () => ({ version: this.set(key, value) }));
  }

  get(key: string): Promise<Row | undefined> {
    return this.#do("get", () => this.#row(key));
  }

  batchGet(keys: readonly string[]): Promise<(Row | undefined)[]> {
    return this.#do("batchGet", () => keys.map((key) => this.#row(key)));
  }

  scan({ start, end }: { readonly start: string; readonly end: string }) {
    const rows = this.#do("scan", () =>
      [...this.rows.keys()]
        .filter((key) => key >= start && key < end)
        .sort()
        .flatMap((key) => this.#row(key) ?? []),
    );
    return { toArray: () => rows };
  }

  scanReverse(range: { readonly start: string; readonly end: string }) {
    return this.scan(range);
  }

  compareAndSwap(key: string, expect: { readonly version?: number }, value: string) {
    return this.#do("compareAndSwap", () => {
      const succeeded = this.rows.get(key)?.version === expect.version;
      return { succeeded, version: succeeded ? this.set(key, value) : this.rows.get(key)?.version };
    });
  }

  conditionalBatch(batch: {
    readonly conditions: readonly { readonly key: string; readonly version?: number }[];
    readonly mutations: readonly { readonly put: string; readonly value: string }[];
  }) {
    return this.#do("conditionalBatch", () => {
      const succeeded = batch.conditions.every(({ key, version }) => this.rows.get(key)?.version === version);
      if (succeeded) {
        batch.mutations.forEach(({ put, value }) => this.set(put, value));
      }
      return { succeeded, revision: this.#revision, failedConditions: [] };
    });
  }

  set(key: string, value: string): number {
    this.rows.set(key, { value, version: ++this.#revision });
    return this.#revision;
  }

  async #do<Result>(method: Method, effect: () => Result): Promise<Result> {
    const fate = this.fate(method);
    if (fate === "refuse") {
      throw new RdbError("RDB_SERVER_IS_BUSY", `${method} is refused`);
    }
    const result = effect();
    if (fate === "lose") {
      throw new RdbError("RDB_UNDETERMINED_RESULT", `the answer to ${method} is lost`);
    }
    return result;
  }

  #row(key: string): Row | undefined {
    const known = this.rows.get(key);
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    return (
      known &&
      new Row({
        key: encode(key),
        value: encode(known.value),
        version: known.version,
        revision: this.#revision,
        regionId: 1 as Row["regionId"],
      })
    );
  }
}
