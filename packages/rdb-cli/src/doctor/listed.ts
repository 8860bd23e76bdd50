/** Names that a line takes. */
const SHOWN_MAX_COUNT = 5;

/** The first few of many, and how many more. */
export function listed(names: readonly string[]): string {
  const rest = names.length - SHOWN_MAX_COUNT;
  const shown = names.slice(0, SHOWN_MAX_COUNT).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
