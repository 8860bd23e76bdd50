import { nearest } from "./nearest.ts";
import type { Setting } from "./setting.ts";

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What all of FlareDB's variables begin with. */
const FAMILY = "FLAREDB_";

/** `FLAREDB_SERVER_` and `raft.maxInflightBytes` make `FLAREDB_SERVER_RAFT_MAX_INFLIGHT_BYTES`. */
export function variableOf(prefix: string, { path }: Pick<Setting, "path">): string {
  const words = path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return prefix + words.join("_");
}

/** The variables that are set. An empty one counts as not set: that is how compose files leave one out. */
export function setVariables(environment: Environment, prefix: string): Map<string, string> {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[0].startsWith(prefix) && (entry[1] ?? "") !== "",
  );
  return new Map(entries.filter(([name, value]) => !isServiceLink(prefix, name, value)));
}

/**
 * Variables that mean no setting, in words: those with the process's prefix, and any of the family whose name is but a
 * slip away from one that does.
 */
export function unknownVariables(
  environment: Environment,
  prefix: string,
  known: ReadonlySet<string>,
): string[] {
  return [...setVariables(environment, FAMILY)].flatMap(([name, value]) => {
    if (known.has(name) || isServiceLink(prefix, name, value)) {
      return [];
    }
    const meant = nearest(name, known);
    if (meant !== undefined) {
      return [`${name} is no known environment variable: did you mean ${meant}?`];
    }
    return name.startsWith(prefix)
      ? [`${name} is no known environment variable: unset it, or see --print-config for those that are`]
      : [];
  });
}

/**
 * Kubernetes tells each container of each Service in such variables, also of one that is called `flaredb-pd`: they
 * speak of the Service and were never meant for this process.
 */
function isServiceLink(prefix: string, name: string, value: string): boolean {
  const rest = name.slice(prefix.length);
  return (
    /(^|_)SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(rest) ||
    /(^|_)PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?$/.test(rest) ||
    (/(^|_)PORT$/.test(rest) && /^(tcp|udp):\/\//.test(value))
  );
}
