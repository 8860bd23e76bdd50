import { RdbError } from "@flaredb/rdb-base";

// What bundlers for browsers get in place of the SDK: the `browser` condition of package.json. It has the SDK's names,
// so that it can be linked, and fails when it is loaded, so that no half of a client ever runs.

export const RdbClient = refuse();
export const Row = refuse();
export const clientDefaults = refuse();
export const bytesCodec = refuse();
export const integerCodec = refuse();
export const jsonCodec = refuse();
export const textCodec = refuse();
export const errorCodes = refuse();
export const hasCode = refuse();
export const startTestCluster = refuse();
export { RdbError };

function refuse(): never {
  throw new RdbError(
    "RDB_CONFIG_INVALID",
    "@flaredb/rdb-client does not run in browsers: it speaks gRPC over HTTP/2 on TCP, which pages may not open; " +
      "call it in your server, and give the browser an endpoint of that",
  );
}
