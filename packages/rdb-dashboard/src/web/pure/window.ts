/** The rows of a long table that are drawn. */
export interface RowWindow {
  /** The first one, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

/** Rows above and below the seen ones, so that scrolling shows no gap. */
const OVERSCAN_COUNT = 8;

/** Which of `rowCount` equally high rows a scrolled container shows. */
export function rowWindow(
  rowCount: number,
  {
    scrollTop,
    height,
    rowHeight,
  }: { readonly scrollTop: number; readonly height: number; readonly rowHeight: number },
): RowWindow {
  const start = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight) - OVERSCAN_COUNT, rowCount));
  const end = Math.min(rowCount, Math.ceil((scrollTop + height) / rowHeight) + OVERSCAN_COUNT);
  return { start: Math.min(start, end), end };
}
