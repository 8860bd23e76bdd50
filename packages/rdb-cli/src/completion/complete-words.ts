import type { CompletionNode } from "./completion-tree.ts";

/** What may stand in a word's place. */
export interface Candidates {
  readonly words: readonly string[];
  /** What may be asked for besides. */
  readonly kind: CompletionNode["argumentKinds"][number];
}

/**
 * What may follow the words that stand before the cursor.
 *
 * @param before without the program's name, and without the word that is begun
 * @param begun options are offered only to a word that begins as one
 */
export function completeWords(
  nodes: readonly CompletionNode[],
  before: readonly string[],
  begun: string,
): Candidates {
  let node = nodeAt(nodes, "");
  let position = 0;
  let expecting: CompletionNode["options"][number] | undefined;
  for (const word of before) {
    if (expecting !== undefined) {
      expecting = undefined;
    } else if (word.startsWith("-")) {
      expecting = node.options.find(({ flags, takesValue }) => takesValue && flags.includes(word));
    } else if (node.commands.some(({ name }) => name === word)) {
      node = nodeAt(nodes, `${node.place} ${word}`.trim());
      position = 0;
    } else {
      position++;
    }
  }
  if (expecting !== undefined) {
    return { words: [], kind: expecting.kind };
  }
  if (begun.startsWith("-")) {
    return { words: node.options.flatMap(({ flags }) => flags.slice(0, 1)), kind: undefined };
  }
  const { argumentKinds, isVariadic } = node;
  const last = argumentKinds.length - 1;
  const kind = argumentKinds[isVariadic ? Math.min(position, last) : position];
  return { words: position === 0 ? node.commands.map(({ name }) => name) : [], kind };
}

function nodeAt(nodes: readonly CompletionNode[], place: string): CompletionNode {
  return (
    nodes.find((node) => node.place === place) ?? {
      ...{ place, commands: [], options: [], argumentKinds: [], isVariadic: false },
    }
  );
}
