import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallOptions } from "@connectrpc/connect";
import { RdbClient } from "@flaredb/rdb-client";
import { type PdClients, askPd } from "./ask-pd.ts";
import { PD_PROGRAM, TestStore } from "./cluster.ts";
import { freePorts } from "./free-ports.ts";
import { ManagedProcess } from "./managed-process.ts";
import { waitFor } from "./wait.ts";

const MEMBER_COUNT = 3;
const STORE_COUNT = 3;
const SERVING_TIMEOUT_MS = 30_000;

interface PdMemberPlan {
  /** Of its log. */
  readonly folder: string;
  readonly args: string[];
  /** Default: `rdb-pd`. */
  readonly program?: string;
}

/** One member of the placement driver. */
export class PdMemberProcess extends ManagedProcess {
  readonly address: string;

  constructor(name: string, address: string, plan: PdMemberPlan) {
    const logFile = join(plan.folder, `${name}.log`);
    super({ name, program: plan.program ?? PD_PROGRAM, args: plan.args, logFile });
    this.address = address;
  }
}

/** Three members of a placement driver and three Stores, as real processes. */
export class PdGroupCluster {
  readonly members: readonly PdMemberProcess[];
  readonly stores: readonly TestStore[];
  readonly #folder = mkdtempSync(join(tmpdir(), "flaredb-e2e-pd-"));
  readonly #clients: RdbClient[] = [];

  static async start(): Promise<PdGroupCluster> {
    const cluster = new PdGroupCluster(await freePorts(2 * (MEMBER_COUNT + STORE_COUNT)));
    try {
      await Promise.all([...cluster.members, ...cluster.stores].map((process) => process.launch()));
      await waitFor("a cluster with a leader for every Region", SERVING_TIMEOUT_MS, async () => {
        const info = await cluster.ask(({ pd }, options) => pd.getClusterInfo({}, options));
        return info.regionCount > 0 && info.regionWithLeaderCount === info.regionCount;
      });
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  private constructor(ports: number[]) {
    const take = (): number => ports.pop() as number;
    const group = Array.from({ length: MEMBER_COUNT }, (_, at) => ({ name: `pd-${at + 1}`, port: take() }));
    const initialCluster = group.map(({ name, port }) => `${name}=127.0.0.1:${port}`).join(",");
    this.members = group.map(({ name, port }) => {
      const flags = ["--name", name, "--initial-cluster", initialCluster, "--port", String(port)];
      const args = [...flags, "--http-port", String(take()), "--data-dir", join(this.#folder, name)];
      return new PdMemberProcess(name, `127.0.0.1:${port}`, { folder: this.#folder, args });
    });
    const pd = this.members.map(({ address }) => address).join(",");
    this.stores = Array.from(
      { length: STORE_COUNT },
      (_, place) =>
        new TestStore(place, this.#folder, { rpc: take(), http: take(), proxy: undefined }, pd, {}),
    );
  }

  get pdAddresses(): string[] {
    return this.members.map(({ address }) => address);
  }

  /** Asks whoever leads, through elections. What the leader refuses is thrown. */
  ask<Answer>(call: (clients: PdClients, options: CallOptions) => Promise<Answer>): Promise<Answer> {
    return askPd(this.pdAddresses, call);
  }

  /** The member that leads now. */
  async leader(): Promise<PdMemberProcess> {
    const { members, leaderMemberId } = await this.ask(({ pd }, options) => pd.getClusterInfo({}, options));
    const address = members.find(({ id }) => id === leaderMemberId)?.address;
    const leader = this.members.find((member) => member.address === address);
    if (leader === undefined) {
      throw new Error(`no member of the test answers at ${address}`);
    }
    return leader;
  }

  /** Closed with the cluster. */
  async connect(): Promise<RdbClient> {
    const client = await RdbClient.connect({ pd: this.pdAddresses });
    this.#clients.push(client);
    return client;
  }

  /** Ends that no test asked for. */
  unexpectedEnds(): string[] {
    return [...this.members, ...this.stores].flatMap((process) => process.unexpectedEnds);
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await Promise.all([...this.members, ...this.stores].map((process) => process.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
