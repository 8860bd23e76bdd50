import type { JSX } from "preact";
import type { Region } from "../api/gen/types.ts";

/** A Region's keys: from the first one to the first one behind it. */
export function KeyRangeText({
  region,
}: {
  readonly region: Pick<Region, "startKey" | "endKey">;
}): JSX.Element {
  return <span title={rangeText(region)}>{rangeText(region)}</span>;
}

/** An open end is an endless one. */
export function rangeText({ startKey, endKey }: Pick<Region, "startKey" | "endKey">): string {
  return `${startKey === "" ? "−∞" : startKey} … ${endKey === "" ? "+∞" : endKey}`;
}
