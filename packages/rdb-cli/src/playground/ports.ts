import net from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import { type ClusterPlan, membersOf } from "./plan.ts";

/**
 * Checks that every port of the cluster is free.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE naming the ports in use
 */
export async function checkPorts(plan: ClusterPlan): Promise<void> {
  const taken = await portsInUse(plan);
  if (taken.length > 0) {
    throw new RdbError(
      "RDB_ADDRESS_IN_USE",
      `port ${taken.join(", ")} in use: stop what listens there, or choose other ports with --base-port`,
    );
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
