import { basename } from "node:path";
import type { ResourceSample } from "./resource-watch.ts";
import type { Sample } from "./timeline.ts";
import type { EndedFault, Judgement } from "./verdict.ts";

/** Everything about one run that a document shows. */
export interface RunRecord {
  /** One line: seed, length, size. */
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly resources: readonly ResourceSample[];
  readonly faults: readonly EndedFault[];
  readonly judgements: readonly Judgement[];
}

const BEGIN = "<!-- run: begin -->";
const END = "<!-- run: end -->";
/** Faults that are told one by one: those after which it took longest until every lane wrote. */
const WORST_COUNT = 5;
const BYTES_PER_MIB = 2 ** 20;

/**
 * A document with the record of a run in it: between the two marks, or at its end where it has none.
 *
 * @param picture the plot's file, beside the document
 */
export function withRun(document: string, record: RunRecord, picture: string): string {
  const section = `${BEGIN}\n${renderRun(record, basename(picture))}${END}\n`;
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  return from < 0 || to < from
    ? `${document}\n${section}`
    : `${document.slice(0, from)}${section}${document.slice(to + END.length + 1)}`;
}

function renderRun({ title, faults, judgements, resources }: RunRecord, picture: string): string {
  const promises = judgements.map(
    ({ what, found, isKept }) => `| ${what} | ${found} | ${isKept ? "kept" : "**broken**"} |`,
  );
  return [
    `${title}\n`,
    `![Writes a second, what was broken when, and what the processes took](${picture})\n`,
    "| Promise | Found | |\n|---|---|---|",
    ...promises,
    "\n| Fault | Times | Lasted, together | Longest gap in writes | All serve again after, at worst | Every lane writes after, at worst |",
    "|---|---|---|---|---|---|",
    ...faultRows(faults),
    `\nThe ${WORST_COUNT} after which it took longest until every lane wrote:\n`,
    "| At | Fault | Every lane writes after |\n|---|---|---|",
    ...worstRows(faults),
    ...(resources.length === 0 ? [] : ["\n| Taken, MiB | First | Most | Last |\n|---|---|---|---|"]),
    ...resourceRows(resources),
    "",
  ].join("\n");
}

/** Of each kind one; those that had a mild one beside them stand with that. */
function faultRows(faults: readonly EndedFault[]): string[] {
  const kindOf = ({ name, beside }: EndedFault): string =>
    beside === undefined ? name : `others, with ${beside} at once`;
  const kinds = Map.groupBy(faults, kindOf);
  return [...kinds]
    .toSorted(([one], [other]) => compare(one, other))
    .map(([kind, those]) => faultRow(kind, those));
}

function faultRow(kind: string, those: readonly EndedFault[]): string {
  const lasted = those.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const back = Math.max(...those.map(({ backMs }) => backMs));
  const cells = [
    String(those.length),
    seconds(lasted),
    seconds(Math.max(...those.map(({ gapMs }) => gapMs))),
    seconds(back),
    seconds(Math.max(...those.map(recoveryOf))),
  ];
  return `| ${kind} | ${cells.join(" | ")} |`;
}

function worstRows(faults: readonly EndedFault[]): string[] {
  return faults
    .toSorted((one, other) => recoveryOf(other) - recoveryOf(one))
    .slice(0, WORST_COUNT)
    .map((fault) => {
      const minute = Math.floor(fault.fromMs / 60_000);
      const second = String(Math.floor((fault.fromMs % 60_000) / 1000)).padStart(2, "0");
      return `| ${minute}:${second} | ${fault.name}: ${fault.text} | ${seconds(recoveryOf(fault))} |`;
    });
}

function resourceRows(resources: readonly ResourceSample[]): string[] {
  const kinds = {
    "memory of the Store that takes most": ({ storeBytes }: ResourceSample) => storeBytes,
    "memory of the PD that takes most": ({ pdBytes }: ResourceSample) => pdBytes,
    "memory of the run itself": ({ ownBytes }: ResourceSample) => ownBytes,
    "data of the Store that has most, without what fills its disk": ({ diskBytes }: ResourceSample) =>
      diskBytes,
  };
  return Object.entries(kinds).map(([kind, of]) => {
    const values = resources.map(of);
    const cells = [values[0] ?? 0, Math.max(0, ...values), values.at(-1) ?? 0].map((bytes) =>
      String(Math.round(bytes / BYTES_PER_MIB)),
    );
    return `| ${kind} | ${cells.join(" | ")} |`;
  });
}

function recoveryOf({ recoveryMs }: EndedFault): number {
  return recoveryMs ?? Number.POSITIVE_INFINITY;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : 1;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : "never";
}
