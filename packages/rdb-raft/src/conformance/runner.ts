import type { Block } from "./datadriven.ts";

/**
 * Runs the blocks of one file in order, over one environment, and gives what each prints.
 *
 * @throws Error when the script asks for something unknown, AssertionError when the core breaks an invariant
 */
export type BlockRunner = (block: Block) => string;
