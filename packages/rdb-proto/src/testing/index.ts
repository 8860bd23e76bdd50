// What tests of other packages send: valid messages with absurd fields.
export { ProtoFuzzer, type FuzzHints } from "./proto-fuzzer.ts";
export { fuzzSeed } from "./fuzz-seed.ts";
export { type LieEnds, lyingBatch } from "./lying-batch.ts";
