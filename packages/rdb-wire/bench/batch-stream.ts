/**
 * What one connection carries: real KvService.Batch messages, puts of 256 B, a server that answers at once, in a
 * process of its own. Run: node packages/rdb-wire/bench/batch-stream.ts [in flight] [seconds]
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "@flaredb/rdb-base";
import { RpcConnection } from "../src/rpc-connection.ts";
import { BATCH_PATH, clientCodec, putRequest, startEchoServer } from "../src/testing/echo.ts";

const VALUE = new Uint8Array(256).fill(7);

if (process.send === undefined) {
  await measure(Number(process.argv[2] ?? 256), Number(process.argv[3] ?? 3));
} else {
  const server = await startEchoServer();
  process.send(server.address);
  process.on("disconnect", () => process.exit(0));
}

async function measure(inFlight: number, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [] });
  const address = await new Promise<string>((resolve) =>
    child.once("message", (sent) => resolve(sent as string)),
  );
  const connection = new RpcConnection({ address, clock: systemClock });
  const latenciesMs: number[] = [];
  const startedMs = new Float64Array(inFlight);
  let running = true;
  let count = 0;
  let messages = 0;
  const send = (slot: number): void => {
    startedMs[slot] = performance.now();
    stream.push(putRequest(slot, VALUE));
  };
  const stream = connection.openStream(BATCH_PATH, clientCodec, {
    onMessage: (responses) => {
      const nowMs = performance.now();
      messages++;
      for (const response of responses) {
        count++;
        if ((count & 15) === 0) {
          latenciesMs.push(nowMs - (startedMs[response.requestId] as number));
        }
        if (running) {
          send(response.requestId);
        }
      }
    },
    onClosed: () => {},
  });
  for (let slot = 0; slot < inFlight; slot++) {
    send(slot);
  }
  const pause = (ms: number) => new Promise<void>((resolve) => systemClock.setTimer(ms, resolve));
  await pause(1_000);
  latenciesMs.length = 0;
  count = 0;
  messages = 0;
  const cpu = process.cpuUsage();
  const fromMs = performance.now();
  await pause(seconds * 1_000);
  const elapsedMs = performance.now() - fromMs;
  running = false;
  const used = process.cpuUsage(cpu);
  latenciesMs.sort((a, b) => a - b);
  const percentile = (fraction: number) =>
    (latenciesMs[Math.floor(latenciesMs.length * fraction)] ?? 0).toFixed(3);
  process.stdout.write(
    `${inFlight} in flight: ${Math.round((count / elapsedMs) * 1_000)} puts/s, ` +
      `${(count / messages).toFixed(1)} a message, p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, ` +
      `client CPU ${((used.user + used.system) / count).toFixed(2)} µs a put\n`,
  );
  connection.close();
  child.disconnect();
}
