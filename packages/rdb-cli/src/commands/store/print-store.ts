import type { StoreStatus } from "@flaredb/rdb-proto";
import type { Call } from "../../shell.ts";

/** Prints what a command did with a Store: a sentence, or with --json how the Store is now. */
export async function printStore(
  call: Call<unknown>,
  status: StoreStatus | undefined,
  sentence: string,
): Promise<void> {
  const { storeDocument } = await import("../../cluster-json.ts");
  await call.print(status === undefined ? {} : storeDocument(status), () => `${sentence}\n`);
}
