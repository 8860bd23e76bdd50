import { RecordReader, RecordWriter } from "./bytes.ts";
import type { Engine } from "./engine.ts";
import { WritePart } from "./write-part.ts";

const FORMAT = 1;
/** Its row in the column `meta`. */
const VERSION_KEY = new TextEncoder().encode("cluster-version");

/** The cluster version that the Store was told last; undefined before. @throws RdbError RDB_DATA_CORRUPT */
export function readClusterVersion(engine: Pick<Engine, "get">): number | undefined {
  const row = engine.get("meta", VERSION_KEY);
  if (row === undefined) {
    return undefined;
  }
  const reader = new RecordReader(row, "cluster version").format(FORMAT);
  const version = reader.u64();
  reader.end();
  return version;
}

/** Resolves when it is durable. */
export function writeClusterVersion(
  engine: Pick<Engine, "submit" | "flush">,
  version: number,
): Promise<void> {
  const part = new WritePart();
  part.put("meta", VERSION_KEY, new RecordWriter().u8(FORMAT).u64(version).finish());
  part.sync = true;
  engine.submit(part);
  return engine.flush();
}
