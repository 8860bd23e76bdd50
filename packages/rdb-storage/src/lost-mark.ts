import type { Engine } from "./engine.ts";
import { WritePart } from "./write-part.ts";

/** Its row in the column `meta`. */
const LOST_KEY = new TextEncoder().encode("store-lost");
const MARK = Uint8Array.of(1);

/** Whether the folder's Store was told that it is given up as lost. */
export function hasLostMark(engine: Pick<Engine, "get">): boolean {
  return engine.get("meta", LOST_KEY) !== undefined;
}

/** Notes that the Store was given up as lost, for ever. Resolves when it is durable. */
export function writeLostMark(engine: Pick<Engine, "submit" | "flush">): Promise<void> {
  const part = new WritePart();
  part.put("meta", LOST_KEY, MARK);
  part.sync = true;
  engine.submit(part);
  return engine.flush();
}
