import { type Random, hasCode, errorCodes, RdbError } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import type { Clock } from "@flaredb/rdb-base";
import type { Call, History } from "../check/history.ts";

export async function interimClient(o: {
  name: string;
  clock: Clock;
  random: Random;
  history: History;
  keys: readonly string[];
  pauseMaxMs: number;
  client: () => RdbClient | undefined;
  isOver: () => boolean;
  onCall: (call: Call) => void;
}): Promise<void> {
  let count = 0;
  while (!o.isOver()) {
    const client = o.client();
    if (client !== undefined) {
      const key = o.keys[o.random.nextInt(o.keys.length)] as string;
      const startNs = Math.round(o.clock.monotonicMs() * 1e6);
      const isWrite = o.random.nextInt(2) === 0;
      const value = `${o.name}.${++count}`;
      const end = (): number => Math.round(o.clock.monotonicMs() * 1e6);
      let call: Call;
      try {
        if (isWrite) {
          await client.put(key, value);
          call = {
            op: "put",
            client: o.name,
            startNs,
            endNs: end(),
            outcome: "ok",
            mutations: [{ key, value }],
          };
        } else {
          const row = await client.get(key, { readFrom: o.random.nextInt(3) === 0 ? "follower" : "leader" });
          call = {
            op: "get",
            client: o.name,
            startNs,
            endNs: end(),
            outcome: "ok",
            keys: [key],
            rows:
              row === undefined
                ? []
                : [{ key, value: Buffer.from(row.value).toString(), version: Number(row.version) }],
          };
        }
      } catch (error) {
        const isUnknown = !(error instanceof RdbError) || errorCodes[error.code].write !== "not applied";
        const outcome = hasCode(error, "RDB_UNDETERMINED_RESULT") || isUnknown ? "unknown" : "fail";
        const frame = { client: o.name, startNs, endNs: end(), outcome } as const;
        call = isWrite
          ? { ...frame, op: "put", mutations: [{ key, value }] }
          : { ...frame, outcome: "fail", op: "get", keys: [key], rows: [] };
      }
      o.history.note(call);
      o.onCall(call);
    }
    await new Promise<void>((resolve) => o.clock.setTimer(1 + o.random.nextInt(o.pauseMaxMs), resolve));
  }
}
