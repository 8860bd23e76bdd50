import type { Command } from "commander";
import { parseId } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb pd remove-member ID` */
export function definePdRemoveMember(parent: Command, shell: Shell): void {
  const command = parent
    .command("remove-member <id>")
    .description("take a member out for good; refused when the rest would have no quorum");
  defineAction(command, shell, removeMember);
}

async function removeMember(call: Call<unknown>, idText: string): Promise<undefined> {
  const memberId = parseId("id", idText);
  const { callPdAdmin } = await import("../../pd-caller.ts");
  await callPdAdmin(call.globals, (pd, options) => pd.removePdMember({ memberId }, options));
  await call.print(
    { id: Number(memberId), isRemoved: true },
    () => `PD member ${memberId} is removed; its process ends by itself\n`,
  );
}
