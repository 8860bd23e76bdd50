import {
  type Flag,
  ProgramSettings,
  type TextValue,
  ownUsage,
  tlsFlags,
  tlsUsage,
  withUnit,
} from "@flaredb/rdb-process";
import { pdFields } from "./config-fields.ts";

/** In the order of the help. */
const flags: readonly Flag[] = [
  { name: "data-dir", setting: "dataDir" },
  { name: "host", setting: "host" },
  { name: "port", setting: "port" },
  { name: "http-port", setting: "httpPort" },
  { name: "admin-token-file", setting: "adminTokenFile" },
  { name: "bootstrap-stores", setting: "bootstrapStores" },
  { name: "initial-regions", setting: "initialSplitKeys" },
  { name: "replicas", setting: "replicas" },
  {
    name: "max-store-down-time",
    setting: "placement.maxStoreDownTimeMs",
    read: withUnit("ms", "10m"),
  },
  { name: "name", setting: "name" },
  { name: "advertise-address", setting: "advertiseAddress" },
  { name: "initial-cluster", setting: "initialCluster", addsUp: true },
  { name: "join", setting: "join" },
  { name: "log-level", setting: "logLevel" },
  ...tlsFlags,
  { name: "insecure", setting: "insecure" },
];

/** The settings of `rdb-pd`, and how they are given: `FLAREDB_PD_DATA_DIR`, `--data-dir`. */
export const pdSettings = new ProgramSettings({
  program: "rdb-pd",
  prefix: "FLAREDB_PD_",
  schema: pdFields,
  flags,
  readers: { initialCluster: readMembers },
  writers: { initialCluster: writeMembers },
  alternatives: [
    ["initialSplitKeys", "initialRanges"],
    ["initialCluster", "join"],
  ],
});

export const usage = `Usage: rdb-pd --data-dir DIR [options]

The placement driver: it owns the map of Stores and Regions.

  --config FILE           JSON file with the fields of the configuration
  --data-dir DIR          where its data lies; made when it is not there
  --host HOST             address to listen on (127.0.0.1)
  --port PORT             RPC port (7400)
  --http-port PORT        HTTP port: health and admin API (7401)
  --admin-token-file FILE its first line is the token that the admin API asks for; without it: loopback alone
  --bootstrap-stores N    Stores that must be up before the initial Regions are placed (3)
  --initial-regions KEYS  keys, separated by commas, at which further initial Regions begin ("m,t")
  --replicas N            peers of each Region (3)
  --max-store-down-time T a Store that is silent for so long has its peers replaced: 10s, 10m, 1h (10m)
  --name NAME             what this member is called (pd-1)
  --advertise-address A   HOST:PORT at which others reach it
  --initial-cluster LIST  the first members, the same for all: pd-1=HOST:PORT,pd-2=HOST:PORT,… (this one alone)
  --join ADDRESSES        HOST:PORT of members, by comma, to which it was added: see rdb pd add-member
  --log-level LEVEL       debug, info, warn, error or silent (info)
${tlsUsage}
${ownUsage}`;

function writeMembers(value: unknown): string | undefined {
  const members = pdFields.shape.initialCluster.safeParse(value).data;
  return members?.map(({ name, address }) => `${name}=${address}`).join(",");
}

/** As `pd-1=127.0.0.1:7400,pd-2=127.0.0.1:7402`. What is wrong with an address is found with the rest. */
function readMembers(text: string): TextValue {
  const members: { readonly name: string; readonly address: string }[] = [];
  for (const part of text.split(",")) {
    const [, name, address] = /^([^=]+)=(.+)$/.exec(part.trim()) ?? [];
    if (name === undefined || address === undefined) {
      return { problem: "must be NAME=HOST:PORT of each member, as pd-1=127.0.0.1:7400,pd-2=127.0.0.1:7402" };
    }
    members.push({ name, address });
  }
  return { value: members };
}
