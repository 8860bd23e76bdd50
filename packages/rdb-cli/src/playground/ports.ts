import net from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import { type ClusterPlan, membersOf } from "./plan.ts";

/** How often ports are looked at again while a former playground's processes are stopping. */
const RETRY_MS = 100;

/**
 * Checks that every port of the cluster is free.
 *
 * @param patienceMs how long a port in use is waited for
 * @throws RdbError RDB_ADDRESS_IN_USE naming the ports in use
 */
export async function checkPorts(plan: ClusterPlan, patienceMs: number): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const taken = await portsInUse(plan);
    if (taken.length === 0) {
      return;
    }
    if (performance.now() >= deadlineMs) {
      throw new RdbError(
        "RDB_ADDRESS_IN_USE",
        `port ${taken.join(", ")} in use: stop what listens there, or choose other ports with --base-port`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function portsInUse(plan: ClusterPlan): Promise<string[]> {
  const ports = membersOf(plan).flatMap(({ name, host, port, httpPort }) => [
    { host, port, what: `${port} (${name})` },
    { host, port: httpPort, what: `${httpPort} (${name}, HTTP)` },
  ]);
  const free = await Promise.all(ports.map(({ host, port }) => isFree(host, port)));
  return ports.filter((_, at) => !free[at]).map(({ what }) => what);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        resolve(false);
      } else {
        reject(
          new RdbError("RDB_UNAVAILABLE", `port ${port} on ${host} cannot be used: ${error.message}`, {
            cause: error,
          }),
        );
      }
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
