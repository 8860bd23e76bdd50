import { connectionContract } from "./wire-connection-contract.ts";
import type { WireContractCase } from "./wire-fixture.ts";
import { streamContract } from "./wire-stream-contract.ts";
import { unaryContract } from "./wire-unary-contract.ts";

/** What every `Wire` does. Each case begins with a network of its own. */
export const wireContract: readonly WireContractCase[] = [
  ...streamContract,
  ...connectionContract,
  ...unaryContract,
];
