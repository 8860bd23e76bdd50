import type { Command } from "commander";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

/** `rdb pd members` */
export function definePdMembers(parent: Command, shell: Shell): void {
  const command = parent
    .command("members")
    .description("list the placement driver's members, and which leads");
  defineLook(command, shell, listMembers);
}

async function listMembers(call: Call<unknown>): Promise<undefined> {
  const { callPd } = await import("../../pd-caller.ts");
  const { memberDocument, renderMembers } = await import("../../output/members.ts");
  const info = await callPd(call.globals, (pd, options) => pd.getClusterInfo({}, options));
  await call.print(
    info.members.map((member) => memberDocument(member, info.leaderMemberId)),
    () => renderMembers(info, screenOf(call.io)),
  );
}
