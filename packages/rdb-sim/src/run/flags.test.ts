import { describe, expect, test } from "vitest";
import { UsageError, readFlags } from "./flags.ts";

describe("the command line", () => {
  test("hunts by default", () => {
    expect(readFlags([])).toMatchObject({
      kind: "hunt",
      seedCount: 100,
      firstSeed: undefined,
      keepGoing: false,
    });
    expect(readFlags(["--seeds", "7", "--from", "3", "--jobs", "2", "--keep-going"])).toEqual({
      ...{ kind: "hunt", seedCount: 7, firstSeed: 3, jobCount: 2, keepGoing: true },
    });
  });

  test("replays and minimises a seed", () => {
    expect(readFlags(["--seed", "0"])).toMatchObject({ kind: "replay", source: { seed: 0 }, isQuiet: false });
    expect(readFlags(["--plan", "x.json", "--quiet"])).toMatchObject({
      source: { planFile: "x.json" },
      isQuiet: true,
    });
    expect(readFlags(["--minimise", "9", "--history", "h"])).toEqual({
      ...{ kind: "minimise", seed: 9, historyFile: "h" },
    });
    expect(readFlags(["-h"])).toEqual({ kind: "help" });
  });

  test.each([
    [["--seeds", "0"], "--seeds 0 must be an integer from 1"],
    [["--seed", "-1"], "'--seed' argument is ambiguous"],
    [["--seed", "1.5"], "--seed 1.5 must be an integer"],
    [["--seed", "4294967296"], "must be an integer from 0 to 4294967295"],
    [["--seed", "1", "--seeds", "2"], "--seeds and --seed exclude each other"],
    [["--seed", "1", "--from", "2"], "--from goes with --seeds only"],
    [["--history", "h"], "--history goes with --seed, --minimise, --plan only"],
    [["--bogus"], "Unknown option '--bogus'"],
    [["seven"], "Unexpected argument 'seven'"],
  ])("%j is refused, and it says why", (argv, message) => {
    expect(() => readFlags(argv)).toThrow(UsageError);
    expect(() => readFlags(argv)).toThrow(message);
  });
});
