import type { SeenRow } from "../check/history.ts";
import type { Violation } from "../check/violation.ts";
import { ClientLoops, type WorkloadOptions } from "./client-loops.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Workload } from "./workload.ts";

export interface BankWorkloadOptions extends WorkloadOptions {
  /** Stands before the keys of the accounts, all of which lie in one Region. */
  readonly prefix: string;
}

const ACCOUNT_COUNT = 5;
const INITIAL_BALANCE = 100;
const TOTAL = ACCOUNT_COUNT * INITIAL_BALANCE;

/**
 * Clients that move money between the accounts of one Region by conditional batches. Whoever looks at all accounts at
 * once, by a batch of gets or a scan, sees the same sum: a batch is done wholly or not at all, and seen so.
 */
export class BankWorkload implements Workload {
  readonly violations: Violation[] = [];
  readonly #options: BankWorkloadOptions;
  readonly #accounts: readonly string[];
  readonly #loops: ClientLoops;
  /** Whether somebody saw that the bank was opened. */
  #isOpen = false;
  /** Moves that were acknowledged. */
  movedCount = 0;

  constructor(options: BankWorkloadOptions) {
    this.#options = options;
    this.#accounts = Array.from({ length: ACCOUNT_COUNT }, (_, place) => `${options.prefix}account-${place}`);
    this.#loops = new ClientLoops(options, (client) =>
      options.random.nextInt(3) === 0 ? this.#audit(client) : this.#move(client),
    );
  }

  stop(): Promise<void> {
    return this.#loops.stop();
  }

  async finish(client: RecordedClient): Promise<void> {
    const wasOpen = this.#isOpen;
    const ended = await client.batchGet(this.#accounts);
    if (ended.outcome !== "ok") {
      throw ended.error;
    }
    this.#check(client.name, ended.result, wasOpen);
  }

  async #audit(client: RecordedClient): Promise<void> {
    const { prefix, random } = this.#options;
    const readFrom = random.nextInt(2) === 0 ? "follower" : "leader";
    const range = { start: `${prefix}account-`, end: `${prefix}account.`, reverse: random.nextInt(2) === 0 };
    const wasOpen = this.#isOpen;
    const ended =
      random.nextInt(2) === 0
        ? await client.scan(range, readFrom)
        : await client.batchGet(this.#accounts, readFrom);
    if (ended.outcome === "ok") {
      this.#check(client.name, ended.result, wasOpen);
    }
  }

  async #move(client: RecordedClient): Promise<void> {
    const wasOpen = this.#isOpen;
    const read = await client.batchGet(this.#accounts);
    if (read.outcome !== "ok") {
      return;
    }
    const rows = this.#check(client.name, read.result, wasOpen);
    if (rows.length === 0) {
      await this.#openBank(client);
      return;
    }
    const { random } = this.#options;
    const [from, to] = twoOf(rows, random.nextInt(rows.length), random.nextInt(rows.length - 1));
    const amount = 1 + random.nextInt(20);
    const versions = new Map([from, to].map(({ key, version }) => [key, version]));
    const ended = await client.conditionalBatch(versions, [
      { key: from.key, value: String(Number(from.value) - amount) },
      { key: to.key, value: String(Number(to.value) + amount) },
    ]);
    this.movedCount += ended.outcome === "ok" && ended.result.succeeded ? 1 : 0;
  }

  async #openBank(client: RecordedClient): Promise<void> {
    const versions = new Map(this.#accounts.map((key) => [key, 0]));
    await client.conditionalBatch(
      versions,
      this.#accounts.map((key) => ({ key, value: String(INITIAL_BALANCE) })),
    );
  }

  /**
   * @param wasOpen whether the bank was seen open before the call began: one that ran meanwhile may see it closed
   * @returns the accounts: all, or none before the bank is opened
   */
  #check(name: string, seen: readonly (SeenRow | undefined)[], wasOpen: boolean): readonly SeenRow[] {
    const rows = seen.filter((row) => row !== undefined);
    const sum = rows.reduce((total, { value }) => total + Number(value), 0);
    const isRight = rows.length === 0 ? !wasOpen : rows.length === ACCOUNT_COUNT && sum === TOTAL;
    if (!isRight) {
      const accounts = rows.map(({ key, value, version }) => `${key}=${value}@${version}`).join(", ");
      const message = `${name} sees ${rows.length} accounts with ${sum}, not ${ACCOUNT_COUNT} with ${TOTAL}: ${accounts}`;
      this.violations.push({ name: "the sum of a bank", message });
    }
    this.#isOpen ||= rows.length > 0;
    return rows;
  }
}

function twoOf(rows: readonly SeenRow[], first: number, second: number): [SeenRow, SeenRow] {
  return [rows[first] as SeenRow, rows[second >= first ? second + 1 : second] as SeenRow];
}
