/**
 * Two outputs line by line: `-` was expected and is missing, `+` came and was not expected, a blank stands in both.
 * From a longest common subsequence, so the marked lines are as few as can be.
 */
export function diffLines(expected: string, actual: string): string {
  const left = toLines(expected);
  const right = toLines(actual);
  const lengths = commonLengths(left, right);
  const result: string[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      result.push(`  ${left[i]}`);
      i++;
      j++;
    } else if (
      j >= right.length ||
      (i < left.length && lengthAt(lengths, i + 1, j) >= lengthAt(lengths, i, j + 1))
    ) {
      result.push(`- ${left[i]}`);
      i++;
    } else {
      result.push(`+ ${right[j]}`);
      j++;
    }
  }
  return result.join("\n");
}

/** `lengths[i][j]`: how many lines the rests of both from i and j on have in common, in order. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => Array.from(right, () => 0));
  for (let i = left.length - 1; i >= 0; i--) {
    const row = lengths[i];
    for (let j = right.length - 1; row !== undefined && j >= 0; j--) {
      row[j] =
        left[i] === right[j]
          ? lengthAt(lengths, i + 1, j + 1) + 1
          : Math.max(lengthAt(lengths, i + 1, j), lengthAt(lengths, i, j + 1));
    }
  }
  return lengths;
}

function lengthAt(lengths: readonly number[][], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}

function toLines(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}
