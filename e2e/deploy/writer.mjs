// Runs inside a container: writes for a while, then reads everything back that was acknowledged.
// Arguments: prefix of the keys, seconds. Prints { acknowledged, failed, missing, longestGapMs } as JSON.
import { RdbClient } from "@flaredb/rdb-client";

const [prefix, seconds] = process.argv.slice(2);
const WRITERS = 8;
const endMs = performance.now() + Number(seconds) * 1000;

const { FLAREDB_TLS_CA: ca, FLAREDB_TLS_CERT: cert, FLAREDB_TLS_KEY: key } = process.env;
const tls = cert === undefined ? {} : { tls: { ca, cert, key } };
const client = await RdbClient.connect({ pd: process.env.RDB_PD.split(","), ...tls });
const acknowledged = [];
let failed = 0;
let lastMs = performance.now();
let longestGapMs = 0;

async function write(writer) {
  for (let at = 0; performance.now() < endMs; at++) {
    const key = `${prefix}/${writer}/${at}`;
    try {
      await client.put(key, key);
      acknowledged.push(key);
      longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
      lastMs = performance.now();
    } catch (error) {
      failed += 1;
      console.error(`put ${key}: ${error.message} (${error.code})`);
    }
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

const stored = new Set();
for await (const row of client.scan({ prefix: `${prefix}/` })) {
  if (row.text() === row.keyText()) {
    stored.add(row.keyText());
  }
}
const missing = acknowledged.filter((key) => !stored.has(key)).length;
client.close();
console.log(
  JSON.stringify({
    acknowledged: acknowledged.length,
    failed,
    missing,
    longestGapMs: Math.round(longestGapMs),
  }),
);
