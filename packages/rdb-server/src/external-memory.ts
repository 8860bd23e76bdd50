import { setFlagsFromString } from "node:v8";

/** The first V8 that has the flag: Node 24's. Others would print that they do not know it. */
const KNOWN_SINCE_V8 = 13.6;

/**
 * Has V8 collect garbage by the sum of its heap and of what lies outside: the bytes of messages, entries and rows. By
 * itself it collects everything whenever 64 MiB outside have come since the last time, which a busy Store does several
 * times a second, each time for a walk over all of its heap (docs/adr/0018). For the whole process, its threads too.
 */
export function countExternalMemoryAsHeap(v8Version: string = process.versions.v8): boolean {
  const isKnown = Number.parseFloat(v8Version) >= KNOWN_SINCE_V8;
  if (isKnown) {
    setFlagsFromString("--external-memory-accounted-in-global-limit");
  }
  return isKnown;
}
