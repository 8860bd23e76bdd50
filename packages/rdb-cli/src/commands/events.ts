import { readFileSync } from "node:fs";
import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import type { ServerEvent } from "../events/event-stream.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import type { Globals } from "../globals.ts";
import { invalid } from "../input/bytes.ts";
import { write } from "../io.ts";
import { toJsonLine } from "../output/json.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";

const NOTES = `
A line for each Operator that begins or ends, each Region that changes, each Store that is in another state; with --json
the documents of the admin API. It ends with Ctrl-C, or with 1 when the placement driver's leader changes.
`;

interface Options {
  readonly adminTokenFile?: string;
}

/** `rdb events` */
export function defineEvents(parent: Command, shell: Shell): void {
  const command = parent
    .command("events")
    .description("print what happens in the cluster from now on")
    .option("--admin-token-file <file>", "the token of the admin API, where it asks for one")
    .addHelpText("after", NOTES);
  defineAction(command, shell, printEvents);
}

async function printEvents(call: Call<Options>): Promise<ExitCode> {
  const token = readToken(call.options.adminTokenFile);
  const { watchEvents } = await import("../events/event-stream.ts");
  const ended = new AbortController();
  const stopListening = call.io.onInterrupt(() => ended.abort());
  try {
    const { tls } = call.globals;
    const httpAddress = await leaderHttpAddress(call.globals);
    for await (const event of watchEvents({ httpAddress, token, tls, signal: ended.signal })) {
      if (event.name === "end") {
        throw new RdbError("RDB_PD_UNAVAILABLE", `the events ended: ${text(event.data["detail"])}`);
      }
      const { name, data } = event;
      await write(call.io.stdout, call.globals.json ? toJsonLine({ event: name, data }) : describe(event));
    }
    return ended.signal.aborted ? exitCodes.done : exitCodes.failed;
  } finally {
    stopListening();
  }
}

async function leaderHttpAddress(globals: Globals): Promise<string> {
  const { callPd } = await import("../pd-caller.ts");
  const info = await callPd(globals, (pd, options) => pd.getClusterInfo({}, options));
  const leader = info.members.find(({ id }) => id === info.leaderMemberId);
  if (leader === undefined || leader.httpAddress === "") {
    throw new RdbError("RDB_PD_UNAVAILABLE", "the placement driver's leader has no HTTP endpoint");
  }
  return leader.httpAddress;
}

function readToken(path: string | undefined): string | undefined {
  if (path === undefined) {
    return undefined;
  }
  try {
    return readFileSync(path, "utf8").split("\n")[0]?.trim();
  } catch (error) {
    throw invalid("admin-token-file", `--admin-token-file cannot be read: ${RdbError.from(error).message}`);
  }
}

/** One event as one line. */
function describe({ name, data }: ServerEvent): string {
  const time = new Date().toISOString();
  switch (name) {
    case "operator": {
      const why = text(data["endReason"]) === "" ? "" : `: ${text(data["endReason"])}`;
      const what = `${text(data["kind"])} of Region ${text(data["regionId"])}, by ${text(data["origin"])}`;
      return `${time}  operator ${text(data["id"])} ${text(data["state"])}${why} (${what})\n`;
    }
    case "region": {
      const leader = data["leader"] as { readonly storeId: number } | null;
      const peers = (data["peers"] as readonly { readonly storeId: number }[]).map(({ storeId }) => storeId);
      const led = leader === null ? "has no leader" : `is led by Store ${leader.storeId}`;
      return `${time}  Region ${text(data["id"])} ${led}, peers on Stores ${peers.join(", ")}\n`;
    }
    case "region-gone":
      return `${time}  Region ${text(data["id"])} is gone: it was merged into a neighbour\n`;
    case "store":
      return `${time}  Store ${text(data["id"])} is ${text(data["state"])}\n`;
    default:
      return `${time}  ${name} ${JSON.stringify(data)}\n`;
  }
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
