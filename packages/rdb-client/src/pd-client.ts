import { type ErrorCode, RdbError } from "@flaredb/rdb-base";
import type {
  GetClusterInfoResponse,
  GetRegionResponse,
  ListRegionsResponse,
  ListStoresResponse,
} from "@flaredb/rdb-proto";
import type { PdConnector, PdLink } from "./ports.ts";

/** How long one placement driver may take before the next is asked. */
const ATTEMPT_TIMEOUT_MS = 1_500;

/** Errors that say more about the one that was asked than about the question. */
const askAnother: ReadonlySet<ErrorCode> = new Set([
  "RDB_UNAVAILABLE",
  "RDB_PD_UNAVAILABLE",
  "RDB_DEADLINE_EXCEEDED",
  "RDB_NOT_LEADER",
  "RDB_CLOSED",
  "RDB_ABORTED",
  "RDB_INTERNAL",
]);

/** The placement drivers of a cluster: each question goes to the one that last answered, then to the others. */
export class PdClient {
  readonly #links: readonly PdLink[];
  readonly #addresses: readonly string[];
  #current = 0;

  /** @throws RdbError RDB_INVALID_ARGUMENT when an address is not host:port */
  constructor(connector: PdConnector, addresses: readonly string[]) {
    this.#addresses = addresses;
    this.#links = addresses.map((address) => connector.connect(address));
  }

  /** Every call fails with RDB_PD_UNAVAILABLE when none answers, or with what the one that answers says. */
  getClusterInfo(): Promise<GetClusterInfoResponse> {
    return this.#ask((link) => link.getClusterInfo(ATTEMPT_TIMEOUT_MS));
  }

  /** The Region that holds the key, or with `before` what is just before it. */
  getRegion(request: { readonly key: Uint8Array; readonly before: boolean }): Promise<GetRegionResponse> {
    return this.#ask((link) => link.getRegion(request, ATTEMPT_TIMEOUT_MS));
  }

  listRegions(request: {
    readonly startKey: Uint8Array;
    readonly limit: number;
  }): Promise<ListRegionsResponse> {
    return this.#ask((link) => link.listRegions(request, ATTEMPT_TIMEOUT_MS));
  }

  listStores(): Promise<ListStoresResponse> {
    return this.#ask((link) => link.listStores(ATTEMPT_TIMEOUT_MS));
  }

  close(): void {
    for (const link of this.#links) {
      link.close();
    }
  }

  async #ask<Answer>(question: (link: PdLink) => Promise<Answer>): Promise<Answer> {
    const failures: string[] = [];
    const first = this.#current;
    for (let offset = 0; offset < this.#links.length; offset++) {
      const at = (first + offset) % this.#links.length;
      try {
        const answer = await question(this.#links[at] as PdLink);
        this.#current = at;
        return answer;
      } catch (reason) {
        const error = RdbError.from(reason);
        if (!askAnother.has(error.code)) {
          throw error;
        }
        failures.push(`${this.#addresses[at]}: ${error.message}`);
      }
    }
    throw new RdbError("RDB_PD_UNAVAILABLE", `no placement driver answers (${failures.join("; ")})`, {
      details: { addresses: this.#addresses },
    });
  }
}
