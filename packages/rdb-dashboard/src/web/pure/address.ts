/** Where in the dashboard: a page and what it shows, as in `#/regions/7?store=2`. */
export interface Address {
  /** The parts of the path; none: the overview. */
  readonly parts: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

/** Reads what stands behind the `#`. */
export function parseAddress(hash: string): Address {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return {
    parts: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** The other way; what is undefined or empty in the query is left out. */
export function formatAddress(
  parts: readonly (string | number)[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  const search = given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${search}`;
}

/** As it stands where it is no proper encoding: people type addresses. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
