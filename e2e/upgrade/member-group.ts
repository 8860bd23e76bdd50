import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GetClusterInfoResponse } from "@flaredb/rdb-proto";
import { askPd } from "../ask-pd.ts";
import { freePorts } from "../free-ports.ts";
import { waitFor } from "../wait.ts";
import { UpgradeProcess } from "./upgrade-process.ts";

const MEMBER_COUNT = 3;
const WAIT_MS = 30_000;

/** Three members of PD without a Store, whose programs can be replaced one by one. */
export class UpgradeMembers {
  readonly members: readonly UpgradeProcess[];
  readonly #addresses: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), "flaredb-upgrade-pd-"));

  static async prepare(): Promise<UpgradeMembers> {
    return new UpgradeMembers(await freePorts(2 * MEMBER_COUNT));
  }

  private constructor(ports: number[]) {
    const take = (): number => ports.pop() as number;
    const rpcPorts = Array.from({ length: MEMBER_COUNT }, take);
    this.#addresses = rpcPorts.map((port) => `127.0.0.1:${port}`);
    const initialCluster = this.#addresses.map((address, at) => `pd-${at + 1}=${address}`).join(",");
    this.members = rpcPorts.map((port, at) => {
      const name = `pd-${at + 1}`;
      const files = { dataDir: join(this.#folder, name), logFile: join(this.#folder, `${name}.log`) };
      const args = ["--name", name, "--initial-cluster", initialCluster, "--port", String(port)];
      return new UpgradeProcess("rdb-pd", { ...files, httpPort: take() }, args);
    });
  }

  async start(tree: string): Promise<void> {
    await Promise.all(this.members.map((member) => member.start(tree)));
    await this.whole();
  }

  info(): Promise<GetClusterInfoResponse> {
    return askPd(this.#addresses, ({ pd }, options) => pd.getClusterInfo({}, options));
  }

  /** Waits until the leader hears of all. */
  async whole(): Promise<void> {
    await waitFor("a whole group", WAIT_MS, async () =>
      (await this.info()).members.every(({ isUp }) => isUp),
    );
  }

  unexpectedEnds(): string[] {
    return this.members.flatMap((member) => member.unexpectedEnds());
  }

  async dispose(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
