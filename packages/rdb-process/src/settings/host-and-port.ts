import { z } from "zod";

const PORT_MAX = 65_535;

/** A setting's `HOST:PORT` or `[IPv6]:PORT` at which something is reached: so its port is none that the system chooses. */
export const hostAndPort = z
  .string()
  .refine(isHostAndPort, `must be HOST:PORT, with a port from 1 to ${PORT_MAX}`);

/** A `HOST:PORT` that is told to others, so that they come there. */
export const reachableHostAndPort = hostAndPort.refine(
  (text) => !isEveryAddress(hostOf(text)),
  "must be an address at which others get here: this one stands for all of a machine's",
);

function isHostAndPort(text: string): boolean {
  const port = Number(/^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= PORT_MAX;
}

/** Whether a host to listen on stands for all of a machine's addresses (`0.0.0.0`, `::`): nobody can be reached there. */
export function isEveryAddress(host: string): boolean {
  return /^[0.:]+$/.test(host);
}

/**
 * What others are told of a port: the host that it listens on, and where that is every address of the machine the host
 * that is advertised.
 *
 * @param listened HOST:PORT
 * @param advertised HOST:PORT of another port of this process
 */
export function reachedAt(listened: string, advertised: string): string {
  return isEveryAddress(hostOf(listened)) ? hostPart(advertised) + portPart(listened) : listened;
}

/** Without the brackets of an IPv6 address. */
function hostOf(hostAndPortText: string): string {
  return hostPart(hostAndPortText).replaceAll(/[[\]]/g, "");
}

function hostPart(text: string): string {
  return text.slice(0, text.lastIndexOf(":"));
}

function portPart(text: string): string {
  return text.slice(text.lastIndexOf(":"));
}
