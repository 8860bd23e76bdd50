import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { type KeySpaceFlaw, keySpaceFlaws } from "../../key-space-flaws.ts";
import { bytesField } from "../../output/json.ts";
import { printable } from "../../output/text.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchRegions } from "./fetch-regions.ts";

/** `rdb region coverage` */
export function defineRegionCoverage(parent: Command, shell: Shell): void {
  const command = parent
    .command("coverage")
    .description("say whether the Regions cover every key once, and where not; exits with 1 then");
  defineLook(command, shell, showCoverage);
}

async function showCoverage(call: Call<unknown>): Promise<ExitCode> {
  const first = keySpaceFlaws(await fetchRegions(call.globals));
  // A split that is known only in part looks like a hole for a moment: only what is seen twice is one.
  const routes = await fetchRegions(call.globals);
  const known = new Set(first.map(flawText));
  const flaws = keySpaceFlaws(routes).filter((flaw) => known.has(flawText(flaw)));
  const isSound = flaws.length === 0;
  const document = {
    isSound,
    regionCount: routes.length,
    flawCount: flaws.length,
    flaws: flaws.map(flawDocument),
  };
  await call.print(document, () =>
    isSound
      ? `${routes.length} Regions cover every key once\n`
      : flaws.map((flaw) => `${flawText(flaw)}\n`).join(""),
  );
  return isSound ? exitCodes.done : exitCodes.failed;
}

function flawDocument(flaw: KeySpaceFlaw): Record<string, unknown> {
  return {
    kind: flaw.kind,
    ...bytesField("startKey", flaw.startKey),
    ...bytesField("endKey", flaw.endKey),
    leftRegionId: flaw.leftRegionId ?? null,
    rightRegionId: flaw.rightRegionId ?? null,
  };
}

function flawText({ kind, startKey, endKey, leftRegionId, rightRegionId }: KeySpaceFlaw): string {
  const to = endKey.length === 0 ? "the end of the key space" : `"${printable(endKey)}"`;
  const left = leftRegionId === undefined ? "the beginning" : `Region ${leftRegionId}`;
  const right = rightRegionId === undefined ? "the end" : `Region ${rightRegionId}`;
  return `${kind} from "${printable(startKey)}" to ${to}, between ${left} and ${right}`;
}
