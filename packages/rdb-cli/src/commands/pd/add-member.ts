import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb pd add-member NAME HOST:PORT` */
export function definePdAddMember(parent: Command, shell: Shell): void {
  const command = parent
    .command("add-member <name> <address>")
    .description("add a member to the placement driver; start it then, and it gets its vote by itself");
  defineAction(command, shell, addMember);
}

async function addMember(call: Call<unknown>, name: string, address: string): Promise<undefined> {
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const { member } = await callPdAdmin(call.globals, (pd, options) =>
    pd.addPdMember({ name, address }, options),
  );
  if (member === undefined) {
    throw new RdbError("RDB_INTERNAL", "the placement driver did not say which member it added");
  }
  const { isLoopback, parseAddress } = await import("@flaredb/rdb-wire");
  const { host, port } = parseAddress(address);
  const { tls } = call.globals;
  const unencrypted = isLoopback(host) ? "" : " --insecure";
  const shown = tls === undefined ? unencrypted : " --tls-cert FILE --tls-key FILE --tls-ca FILE";
  const listen = `--host ${host} --port ${port} --http-port PORT${shown}`;
  const join = call.globals.pdAddresses.join(",");
  const { memberDocument } = await import("../../output/members.ts");
  await call.print(
    memberDocument(member, 0n),
    () =>
      `PD member ${member.id} (${name}) is added, without a vote until it runs. Start it with an empty folder:\n` +
      `  rdb pd --name ${name} --data-dir DIR ${listen} --join ${join}\n`,
  );
}
