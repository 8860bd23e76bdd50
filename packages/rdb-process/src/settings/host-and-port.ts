import { z } from "zod";

const PORT_MAX = 65_535;

/** A setting's `HOST:PORT` or `[IPv6]:PORT` at which something is reached: so its port is none that the system chooses. */
export const hostAndPort = z
  .string()
  .refine(isHostAndPort, `must be HOST:PORT, with a port from 1 to ${PORT_MAX}`);

function isHostAndPort(text: string): boolean {
  const port = Number(/^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= PORT_MAX;
}

/** Whether a host to listen on stands for all of a machine's addresses (`0.0.0.0`, `::`): nobody can be reached there. */
export function isEveryAddress(host: string): boolean {
  return /^[0.:]+$/.test(host);
}
