import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { rowWindow } from "../pure/window.ts";

/** One column of a table. */
export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** At the right. */
  readonly isNumber?: boolean;
  /** May be cut off. */
  readonly isKey?: boolean;
}

/** As in the style sheet: rows are equally high, so that those that are not seen need not be drawn. */
const ROW_HEIGHT = 35;
/** Up to so many rows are all drawn. */
const WHOLE_MAX_COUNT = 60;

/** A table that draws what is seen of it, however long it is. */
export function Table<Row>(props: {
  /** What it lists, for who does not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  /** Instead of no rows. */
  readonly empty: string;
}): JSX.Element {
  const { label, columns, rows, keyOf, empty } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ scrollTop: 0, height: 720 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null) {
      setView({ scrollTop: element.scrollTop, height: element.clientHeight });
    }
  }, [rows.length]);
  if (rows.length === 0) {
    return <p class="empty">{empty}</p>;
  }
  const { start, end } =
    rows.length <= WHOLE_MAX_COUNT
      ? { start: 0, end: rows.length }
      : rowWindow(rows.length, { ...view, rowHeight: ROW_HEIGHT });
  const scrolled = ({ currentTarget }: { readonly currentTarget: HTMLDivElement }): void =>
    setView({ scrollTop: currentTarget.scrollTop, height: currentTarget.clientHeight });
  return (
    <div class="table-box" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label={label}>
      <table class="table" aria-rowcount={rows.length + 1}>
        <caption class="unseen">{label}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, isNumber }) => (
              <th key={name} scope="col" class={isNumber === true ? "number" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer height={start * ROW_HEIGHT} span={columns.length} />
          {rows.slice(start, end).map((row, at) => (
            <tr key={keyOf(row)} aria-rowindex={start + at + 2}>
              {columns.map(({ name, cell, isNumber, isKey }) => (
                <td key={name} class={isNumber === true ? "number" : isKey === true ? "key mono" : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Spacer height={(rows.length - end) * ROW_HEIGHT} span={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

/** In the place of the rows that are not seen. */
function Spacer({ height, span }: { readonly height: number; readonly span: number }): JSX.Element | null {
  return height === 0 ? null : (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={span} style={{ height: `${height}px` }} />
    </tr>
  );
}
