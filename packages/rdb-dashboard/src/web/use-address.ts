import { useEffect, useState } from "preact/hooks";
import { type Address, parseAddress } from "./pure/address.ts";

/** The page that the browser's address names, as it changes. */
export function useAddress(): Address {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return parseAddress(hash);
}

/** Goes to a page. */
export function goTo(address: string): void {
  location.hash = address;
}
