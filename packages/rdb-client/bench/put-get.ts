/**
 * What one client can do on one core: puts of 256 B, then gets, through the whole SDK, against one Store that answers
 * at once, in a process of its own. Run: node packages/rdb-client/bench/put-get.ts [in flight] [seconds]
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { silentLogger, systemClock } from "@flaredb/rdb-base";
import {
  type BatchRequest,
  BatchRequestSchema,
  BatchResponseSchema,
  type KvRequest,
  type KvResponse,
  PdService,
  PeerRole,
  PeerSchema,
  RegionSchema,
} from "@flaredb/rdb-proto";
import { RpcServer, type StreamCodec } from "@flaredb/rdb-wire";
import { RdbClient } from "../src/index.ts";

const VALUE = new Uint8Array(256).fill(7);
const peer = create(PeerSchema, { id: 1n, storeId: 1n, role: PeerRole.VOTER });
const region = create(RegionSchema, { id: 1n, epoch: { confVer: 1n, version: 1n }, peers: [peer] });

if (process.send === undefined) {
  await measure(Number(process.argv[2] ?? 256), Number(process.argv[3] ?? 3));
} else {
  const server = await startServer();
  process.send(server.address);
  process.on("disconnect", () => process.exit(0));
}

async function startServer(): Promise<RpcServer> {
  const codec: StreamCodec<KvResponse, BatchRequest> = {
    encode: (responses) =>
      toBinary(BatchResponseSchema, create(BatchResponseSchema, { responses: [...responses] })),
    sizeOf: () => 300,
    decode: (message) => fromBinary(BatchRequestSchema, message),
  };
  const store = () => ({ id: 1n, address: server.address });
  const server = new RpcServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    routes: (router) =>
      router.service(PdService, {
        getClusterInfo: () => ({ bootstrapped: true }),
        listStores: () => ({ statuses: [{ store: store() }] }),
        listRegions: () => ({ routes: [{ region, leader: peer }] }),
      }),
  });
  server.handleStream("/rdb.v1.KvService/Batch", codec, (stream) => ({
    onMessage: (batch) => {
      for (const { requests } of batch.regions) {
        for (const request of requests) {
          stream.push(answer(request));
        }
      }
    },
    onEnd: () => stream.close(),
    onClosed: () => {},
  }));
  await server.listen();
  return server;
}

function answer({ requestId, command }: KvRequest): KvResponse {
  return {
    $typeName: "rdb.v1.KvResponse",
    requestId,
    result:
      command.case === "get"
        ? {
            case: "get",
            value: { $typeName: "rdb.v1.GetResponse", found: true, value: VALUE, version: 1n, revision: 1n },
          }
        : { case: "put", value: { $typeName: "rdb.v1.PutResponse", version: 1n } },
  };
}

async function measure(inFlight: number, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [] });
  const pd = await new Promise<string>((resolve) => child.once("message", (sent) => resolve(sent as string)));
  const client = await RdbClient.connect({ pd });
  const key = (id: number): string => `bench/${id % 100_000}`;
  await run("put", inFlight, seconds, (id) => client.put(key(id), VALUE));
  await run("get", inFlight, seconds, (id) => client.get(key(id)));
  client.close();
  child.disconnect();
}

async function run(
  name: string,
  inFlight: number,
  seconds: number,
  call: (id: number) => Promise<unknown>,
): Promise<void> {
  const latenciesMs: number[] = [];
  let count = 0;
  let isMeasuring = false;
  let isRunning = true;
  const worker = async (): Promise<void> => {
    while (isRunning) {
      const startedMs = performance.now();
      await call(count);
      count++;
      if (isMeasuring && (count & 15) === 0) {
        latenciesMs.push(performance.now() - startedMs);
      }
    }
  };
  const workers = Array.from({ length: inFlight }, worker);
  const pause = (ms: number) => new Promise<void>((resolve) => systemClock.setTimer(ms, resolve));
  await pause(1_000);
  isMeasuring = true;
  count = 0;
  const cpu = process.cpuUsage();
  const fromMs = performance.now();
  await pause(seconds * 1_000);
  const elapsedMs = performance.now() - fromMs;
  const used = process.cpuUsage(cpu);
  const done = count;
  isRunning = false;
  await Promise.all(workers);
  latenciesMs.sort((a, b) => a - b);
  const percentile = (fraction: number) =>
    (latenciesMs[Math.floor(latenciesMs.length * fraction)] ?? 0).toFixed(3);
  const cpuUs = (used.user + used.system) / done;
  process.stdout.write(
    `${inFlight} in flight: ${Math.round((done / elapsedMs) * 1_000)} ${name}s/s, p50 ${percentile(0.5)} ms, ` +
      `p99 ${percentile(0.99)} ms, client CPU ${cpuUs.toFixed(2)} µs a ${name} ` +
      `(one core carries ${Math.round(1e6 / cpuUs)}/s)\n`,
  );
}
