import type { ConfChangeV1, ConfChangeV2 } from "../messages.ts";

/** A change of the configuration in either form; the entry's type on the log follows `version`. */
export type ConfChange = ({ readonly version: 1 } & ConfChangeV1) | ({ readonly version: 2 } & ConfChangeV2);

/** The same change in the newer form. */
export function asV2(change: ConfChange): ConfChangeV2 {
  if (change.version === 2) {
    return change;
  }
  return {
    transition: "Auto",
    changes: [{ type: change.type, nodeId: change.nodeId }],
    context: change.context,
  };
}

/** Whether a change goes through a joint configuration, and whether that is left by itself. */
export function enterJoint(change: ConfChangeV2): { readonly autoLeave: boolean } | undefined {
  // One change alone may still move more than one voter's worth (a demotion is one); the changer checks that.
  if (change.transition === "Auto" && change.changes.length <= 1) {
    return undefined;
  }
  return { autoLeave: change.transition !== "JointExplicit" };
}

/** Whether a change leaves the joint configuration: it changes nothing and asks for nothing. */
export function leaveJoint(change: ConfChangeV2): boolean {
  return change.transition === "Auto" && change.changes.length === 0;
}
