import { RdbError } from "@flaredb/rdb-base";
import { parseAddress } from "./address.ts";

/** Most addresses that are learned beside those that were given. */
const LEARNED_MAX_COUNT = 8;
/** One that did not answer is passed over so often, whoever still takes it for the leader: about as long as an election. */
const PASSED_OVER_COUNT = 8;

/**
 * The members of a placement driver, of which one leads: says whom to ask, in turn, or who is said to lead. Members
 * that were added since are learned from those that were given.
 */
export class MemberRing {
  readonly #givenCount: number;
  readonly #addresses: string[];
  #at = 0;
  /** How often each that did not answer is still passed over. */
  readonly #silent = new Map<string, number>();

  /** @param addresses host:port each; at least one */
  constructor(addresses: readonly string[]) {
    if (addresses.length === 0) {
      throw new RdbError("RDB_INVALID_ARGUMENT", "no address of a placement driver is given", {
        details: { field: "pd" },
      });
    }
    this.#addresses = [...addresses];
    this.#givenCount = addresses.length;
  }

  /** Whom to ask now. */
  get current(): string {
    return this.#addresses[this.#at] as string;
  }

  /** How many are known. */
  get size(): number {
    return this.#addresses.length;
  }

  /**
   * Whether another one is to be asked in this round, after so many: once more than there are members, because the one
   * that is said to lead may have been asked before it knew.
   */
  mayAsk(askedCount: number): boolean {
    return askedCount === 0 || (this.size > 1 && askedCount <= this.size);
  }

  /** The current one failed, or does not lead: goes on with the leader that it names, else with the next. */
  next(error?: RdbError): void {
    if (error?.code === "RDB_NOT_LEADER") {
      this.#silent.delete(this.current);
    } else {
      this.#silent.set(this.current, PASSED_OVER_COUNT);
    }
    const leader = leaderOf(error);
    if (leader !== undefined && leader !== this.current && !this.#silent.has(leader)) {
      this.#at = this.#place(leader);
    } else {
      this.#turn();
    }
  }

  /** To the next that is not passed over; to the very next when all are. */
  #turn(): void {
    const count = this.#addresses.length;
    const order = Array.from({ length: count }, (_, step) => (this.#at + 1 + step) % count);
    const chosen = order.find((at) => !this.#passesOver(this.#addresses[at] as string));
    this.#at = chosen ?? (order[0] as number);
  }

  #passesOver(address: string): boolean {
    const left = this.#silent.get(address);
    if (left === undefined || left === 0) {
      this.#silent.delete(address);
      return false;
    }
    this.#silent.set(address, left - 1);
    return true;
  }

  #place(address: string): number {
    const known = this.#addresses.indexOf(address);
    if (known >= 0) {
      return known;
    }
    if (this.#addresses.length >= this.#givenCount + LEARNED_MAX_COUNT) {
      // The oldest that was learned, which has not been the leader for the longest.
      this.#addresses.splice(this.#givenCount, 1);
    }
    return this.#addresses.push(address) - 1;
  }
}

/** What a member that does not lead says of who does, when it is an address. */
function leaderOf(error: RdbError | undefined): string | undefined {
  const address = error?.code === "RDB_NOT_LEADER" ? error.details["leaderAddress"] : undefined;
  if (typeof address !== "string") {
    return undefined;
  }
  try {
    parseAddress(address);
    return address;
  } catch {
    // A hint that cannot be followed is none.
    return undefined;
  }
}
