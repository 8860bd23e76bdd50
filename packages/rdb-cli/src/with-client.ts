import type { RdbClient } from "@flaredb/rdb-client";
import type { Globals } from "./globals.ts";

/** Connects, lets `use` make its calls, and closes whatever happens. The SDK is loaded only here. */
export async function withClient<Answer>(
  globals: Globals,
  use: (client: RdbClient, options: { readonly deadlineMs: number }) => Promise<Answer>,
): Promise<Answer> {
  const { RdbClient } = await import("@flaredb/rdb-client");
  const options = { deadlineMs: globals.timeoutMs };
  const client = await RdbClient.connect({
    pd: globals.pdAddresses,
    ...(globals.tls === undefined ? {} : { tls: globals.tls }),
    ...options,
  });
  try {
    return await use(client, options);
  } finally {
    client.close();
  }
}
