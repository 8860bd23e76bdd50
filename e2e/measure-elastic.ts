// `npm run measure:elastic`: what it costs to split, to move and to lose. Prints a table for docs/elastic.md for each.
// usage: npm run measure:elastic -- [split] [move] [loss]      (default: all)
import { parseArgs } from "node:util";
import { measureLoss } from "./elastic/measure-loss.ts";
import { measureMove } from "./elastic/measure-move.ts";
import { measureSplits } from "./elastic/measure-split.ts";
import { type Figure, renderFigures } from "./elastic/report.ts";

const measures: Readonly<Record<string, { readonly title: string; readonly run: () => Promise<Figure[]> }>> =
  {
    split: { title: "Splits, asked for one after the other under load", run: measureSplits },
    move: { title: "Move of a 96 MiB Region under load", run: measureMove },
    loss: { title: "One of four Stores killed, `maxStoreDownTime` 10 s", run: measureLoss },
  };

const { positionals } = parseArgs({ allowPositionals: true });
for (const name of positionals.length === 0 ? Object.keys(measures) : positionals) {
  const measure = measures[name];
  if (measure === undefined) {
    throw new Error(`"${name}" must be one of ${Object.keys(measures).join(", ")}`);
  }
  console.log(renderFigures(measure.title, await measure.run()));
}
