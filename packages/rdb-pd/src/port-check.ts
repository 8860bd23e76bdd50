import { createServer } from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import { formatAddress } from "@flaredb/rdb-wire";

/**
 * Whether a port can be listened on, tried before anything on disk is touched.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE when another process listens there
 */
export function checkPortFree(host: string, port: number): Promise<void> {
  if (port === 0) {
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const address = formatAddress(host, port);
      reject(
        error.code === "EADDRINUSE"
          ? new RdbError(
              "RDB_ADDRESS_IN_USE",
              `address ${address} is in use; stop the process that listens there or choose another port`,
              { details: { host, port }, cause: error },
            )
          : new RdbError("RDB_UNAVAILABLE", `cannot listen on ${address}: ${error.message}`, {
              cause: error,
            }),
      );
    });
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
