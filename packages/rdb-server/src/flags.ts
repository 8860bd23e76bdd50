import { type Flag, ProgramSettings, ownUsage, tlsFlags, tlsUsage, withUnit } from "@flaredb/rdb-process";
import { storeFields } from "./config-fields.ts";

/** In the order of the help. */
const flags: readonly Flag[] = [
  { name: "data-dir", setting: "dataDir" },
  { name: "pd", setting: "pdAddresses" },
  { name: "host", setting: "host" },
  { name: "port", setting: "port" },
  { name: "http-port", setting: "httpPort" },
  { name: "advertise-address", setting: "advertiseAddress" },
  { name: "outgoing-host", setting: "outgoingHost" },
  { name: "label", setting: "labels" },
  { name: "region-split-size", setting: "regionSplitSizeBytes", read: withUnit("bytes", "32MiB") },
  { name: "log-level", setting: "logLevel" },
  ...tlsFlags,
  { name: "insecure", setting: "insecure" },
];

/** The settings of `rdb-server`, and how they are given: `FLAREDB_SERVER_DATA_DIR`, `--data-dir`. */
export const storeSettings = new ProgramSettings({
  program: "rdb-server",
  prefix: "FLAREDB_SERVER_",
  schema: storeFields,
  flags,
});

export const usage = `Usage: rdb-server --data-dir DIR [options]

A Store: it keeps Regions and serves their keys and values.

  --config FILE           JSON file with the fields of the configuration
  --data-dir DIR          where its data lies; made when it is not there
  --pd HOST:PORT[,...]    the placement driver's members (127.0.0.1:7400)
  --host HOST             address to listen on (127.0.0.1)
  --port PORT             RPC port (7410)
  --http-port PORT        HTTP port: health and read-only JSON (7420)
  --advertise-address A   HOST:PORT at which others reach it
  --outgoing-host HOST    local address of outgoing connections
  --label NAME=VALUE      for placement, such as host=a,zone=b; may be repeated
  --region-split-size S   a Region that grew to this is split into halves: 32MiB, 1GiB (96MiB)
  --log-level LEVEL       debug, info, warn, error or silent (info)
${tlsUsage}
${ownUsage}`;
