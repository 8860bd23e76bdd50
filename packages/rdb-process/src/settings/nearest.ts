/** More slips than this and it is another word. */
const MAX_SLIPS = 2;

/** The one of `names` that was probably meant by a misspelt one; undefined: none is near. */
export function nearest(misspelt: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = MAX_SLIPS + 1;
  for (const name of names) {
    const slips = slipCount(misspelt, name);
    if (slips < fewest) {
      fewest = slips;
      best = name;
    }
  }
  return best;
}

/** Letters that were left out, added, replaced, or swapped with the next (optimal string alignment). */
function slipCount(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > MAX_SLIPS) {
    return MAX_SLIPS + 1;
  }
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let slips = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (isSame ? 0 : 1),
      );
      if (from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        slips = Math.min(slips, cell(beforeLast, column - 2) + 1);
      }
      current.push(slips);
    }
    beforeLast = last;
    last = current;
  }
  return cell(last, to.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
