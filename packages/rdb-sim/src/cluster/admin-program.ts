import { type Client, createClient } from "@connectrpc/connect";
import { PdAdminService } from "@flaredb/rdb-proto";
import type { Program } from "./sim-process.ts";

/** What people type commands with: calls of the placement driver's admin service over the network. */
export interface AdminProgram {
  readonly client: Client<typeof PdAdminService>;
  close(): void;
}

/** A command of an administrator. */
export function adminProgram(pdAddress: string): Program<AdminProgram> {
  return {
    start({ wire }) {
      const pd = wire.unary(pdAddress);
      return Promise.resolve({
        client: createClient(PdAdminService, pd.transport),
        close: () => pd.close(),
      });
    },
    stop(running) {
      running.close();
      return Promise.resolve();
    },
    killed: (running) => running.close(),
  };
}
