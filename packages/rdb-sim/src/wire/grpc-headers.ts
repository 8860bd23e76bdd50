import { GRPC_CONTENT_TYPE } from "@flaredb/rdb-wire/driver";

/** What every call says. */
export const GRPC_HEADERS = {
  ":method": "POST",
  "content-type": GRPC_CONTENT_TYPE,
  te: "trailers",
} as const;
