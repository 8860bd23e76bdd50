import type { Command } from "commander";
import type { Shell } from "../../shell.ts";
import { definePdAddMember } from "./add-member.ts";
import { definePdMembers } from "./members.ts";
import { definePdRemoveMember } from "./remove-member.ts";
import { definePdTransferLeader } from "./transfer-leader.ts";

/**
 * `rdb pd …`. With options of the program itself behind it, `rdb pd --data-dir DIR` runs a placement driver: that is
 * decided before this tree is asked (main.ts).
 */
export function definePd(parent: Command, shell: Shell): void {
  const pd = parent
    .command("pd")
    .description("members, add-member …: the placement driver's members; or run one (see rdb pd --help)");
  definePdMembers(pd, shell);
  definePdAddMember(pd, shell);
  definePdRemoveMember(pd, shell);
  definePdTransferLeader(pd, shell);
}
