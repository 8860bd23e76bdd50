import type { ConfChangeSingle } from "../messages.ts";
import type { ConfChange } from "./conf-change.ts";

/** A change as it is written in log lines. */
export function formatConfChange(change: ConfChange): string {
  if (change.version === 1) {
    return formatSingle(change);
  }
  const changes = change.changes.map((single) => ` changes:{${formatSingle(single)}}`);
  return `transition:ConfChangeTransition${change.transition}${changes.join("")}`;
}

function formatSingle(change: ConfChangeSingle): string {
  return `type:ConfChange${change.type} node_id:${change.nodeId}`;
}
