import { type ErrorCode, RdbError } from "@flaredb/rdb-base";
import type {
  GetClusterInfoResponse,
  GetRegionResponse,
  ListRegionsResponse,
  ListStoresResponse,
} from "@flaredb/rdb-proto";
import { MemberRing } from "@flaredb/rdb-wire";
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

/**
 * The placement driver of a cluster, of one member or several: each question goes to the one that last answered, then
 * to who is said to lead, or to the others in turn.
 */
export class PdClient {
  readonly #connector: PdConnector;
  readonly #members: MemberRing;
  /** By address. */
  readonly #links = new Map<string, PdLink>();

  /** @throws RdbError RDB_INVALID_ARGUMENT when an address is not host:port, or there is none */
  constructor(connector: PdConnector, addresses: readonly string[]) {
    this.#connector = connector;
    this.#members = new MemberRing(addresses);
    for (const address of addresses) {
      this.#linkTo(address);
    }
  }

  /**
   * Every call fails with RDB_PD_UNAVAILABLE when none answers, whose detail `isElecting` says that some did and none
   * leads; or with what the one that leads says.
   */
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
    for (const link of this.#links.values()) {
      link.close();
    }
  }

  async #ask<Answer>(question: (link: PdLink) => Promise<Answer>): Promise<Answer> {
    const failures: string[] = [];
    let isElecting = false;
    for (let attempt = 0; this.#members.mayAsk(attempt); attempt++) {
      const address = this.#members.current;
      try {
        return await question(this.#linkTo(address));
      } catch (reason) {
        const error = RdbError.from(reason);
        if (!askAnother.has(error.code)) {
          throw error;
        }
        isElecting ||= error.code === "RDB_NOT_LEADER";
        failures.push(`${address}: ${error.message}`);
        // Not when another question has led away from this one meanwhile.
        if (this.#members.current === address) {
          this.#members.next(error);
        }
      }
    }
    throw new RdbError("RDB_PD_UNAVAILABLE", `no placement driver answers (${failures.join("; ")})`, {
      details: { addresses: [...this.#links.keys()], isElecting },
    });
  }

  #linkTo(address: string): PdLink {
    let link = this.#links.get(address);
    if (link === undefined) {
      link = this.#connector.connect(address);
      this.#links.set(address, link);
    }
    return link;
  }
}
