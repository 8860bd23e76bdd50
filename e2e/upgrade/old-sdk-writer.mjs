// Writes and reads through the SDK of another tree: node old-sdk-writer.mjs TREE PD_ADDRESS PREFIX. Until stdin ends;
// then says in one line of JSON how many writes were acknowledged, what failed, and what was not read back.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const WRITER_COUNT = 4;

const [tree, pdAddress, prefix] = process.argv.slice(2);
const sdk = await import(pathToFileURL(join(tree, "packages", "rdb-client", "src", "index.ts")).href);
const client = await sdk.RdbClient.connect({ pd: [pdAddress] });
process.send({ type: "connected" });
const failures = [];
const written = new Map();
let isOver = false;
process.stdin.on("end", () => (isOver = true)).resume();

async function write(writer) {
  for (let n = 0; !isOver; n++) {
    const key = `${prefix}${writer}-${n}`;
    const value = `${key}:${tree.length}`;
    try {
      await client.put(key, value);
      written.set(key, value);
      const found = await client.get(key);
      if (found === undefined || text(found.value) !== value) {
        failures.push(`${key} is not read back at once`);
      }
    } catch (error) {
      failures.push(String(error));
    }
  }
}

function text(bytes) {
  return Buffer.from(bytes).toString();
}

await Promise.all(Array.from({ length: WRITER_COUNT }, (_, writer) => write(writer)));
const found = new Map();
for await (const row of client.scan({ prefix })) {
  found.set(text(row.key), text(row.value));
}
const lost = [...written].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
client.close();
console.log(JSON.stringify({ acknowledgedCount: written.size, failures, lost }));
