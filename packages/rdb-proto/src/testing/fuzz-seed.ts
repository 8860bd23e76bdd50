/**
 * The seed of a test that draws what it sends: `FLAREDB_FUZZ_SEED`, or one of this moment. Tests name it when they fail,
 * so that the run can be had again.
 */
export function fuzzSeed(): number {
  const given = process.env["FLAREDB_FUZZ_SEED"];
  return given === undefined ? Date.now() % 1_000_000_000 : Number(given);
}
