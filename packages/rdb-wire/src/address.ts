import { RdbError } from "@flaredb/rdb-base";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port` or `[ipv6]:port`.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when it is neither
 */
export function parseAddress(address: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new RdbError("RDB_INVALID_ARGUMENT", `address "${address}" must be host:port, port 1 to 65535`, {
      details: { field: "address", value: address },
    });
  }
  return { host, port };
}

/** The opposite of {@link parseAddress}. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether what listens on the host is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
