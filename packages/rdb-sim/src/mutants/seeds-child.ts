import { hunt } from "../run/hunt.ts";

// `seeds-child.ts FIRST COUNT`: tries seeds one after the other until one is violated. One line of JSON for each.

const [firstSeed = Number.NaN, seedCount = Number.NaN] = process.argv.slice(2).map(Number);

await hunt({
  firstSeed,
  seedCount,
  jobCount: 1,
  keepGoing: false,
  onVerdict: ({ seed, violation }) => {
    const line = {
      seed,
      ...(violation === undefined ? {} : { violation: violation.name, message: violation.message }),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  },
});
