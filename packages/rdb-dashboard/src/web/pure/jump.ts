/** What people ask for in the field above every page. */
export type Jump =
  | { readonly kind: "region"; readonly id: number }
  | { readonly kind: "store"; readonly id: number }
  | { readonly kind: "key"; readonly key: string };

/** `7` and `region 7` are a Region, `store 2` is a Store, everything else is a key; `key 7` is one too. */
export function parseJump(text: string): Jump | undefined {
  const trimmed = text.trim();
  const named = /^(region|r|store|s)?\s*#?(\d{1,15})$/i.exec(trimmed);
  if (named !== null) {
    const id = Number(named[2]);
    return { kind: named[1]?.toLowerCase().startsWith("s") === true ? "store" : "region", id };
  }
  const key = /^key\s+(.*)$/i.exec(trimmed)?.[1] ?? trimmed;
  return key === "" ? undefined : { kind: "key", key };
}
