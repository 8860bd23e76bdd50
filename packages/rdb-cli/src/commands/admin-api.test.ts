import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { silentLogger, systemClock, systemRandom } from "@flaredb/rdb-base";
import { type RunningPd, parsePdConfig, startPd } from "@flaredb/rdb-pd";
import { PdService } from "@flaredb/rdb-proto";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCaptured } from "../testing/run-captured.ts";

// `--json` and PD's admin API say the same in the same words.

type Document = Readonly<Record<string, unknown>>;

let pd: RunningPd;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "rdb-cli-"));
  const settings = { dataDir, port: 0, httpPort: 0, bootstrapStores: 1, initialSplitKeys: ["m"] };
  pd = await startPd(parsePdConfig(settings), {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  const connection = unaryTransport(pd.address);
  const client = createClient(PdService, connection.transport);
  const address = "127.0.0.1:7410";
  await client.registerStore({ address, labels: { host: "a" }, bootId: 1n, registrationToken: "one" });
  connection.close();
});

afterAll(async () => {
  await pd.close();
  await rm(dataDir, { recursive: true, force: true });
});

test.each<[command: string, path: string, field: string]>([
  ["store list", "stores", "stores"],
  ["region list", "regions", "regions"],
  ["operator history", "operators/history", "operators"],
  ["operator list", "operators", "operators"],
  ["operator explain 1", "regions/1/explain", "explanations"],
  ["scheduler list", "schedulers", "schedulers"],
  ["scheduler config", "config/placement", "settings"],
  ["pd members", "members", "members"],
])("rdb %s --json is what /api/v1/%s has", async (command, path, field) => {
  const { stdout } = await runCaptured([...command.split(" "), "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/${path}`);
  const answer = (await response.json()) as Record<string, Document[]>;
  expect(answer[field]?.map(comparable)).toEqual((JSON.parse(stdout) as Document[]).map(comparable));
});

test("rdb cluster status --json is in what /api/v1/cluster has", async () => {
  const { stdout } = await runCaptured(["cluster", "status", "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/cluster`);
  expect(await response.json()).toMatchObject(JSON.parse(stdout) as Document);
});

/** Without what changes from one look to the next, and the second form of keys, which the command line leaves out. */
function comparable(document: Document): Document {
  const { startKeyHex: _start, endKeyHex: _end, lastWord: _word, ...rest } = document;
  return rest;
}
