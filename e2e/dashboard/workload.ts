import { setTimeout as pause } from "node:timers/promises";
import { RdbClient } from "@flaredb/rdb-client";

/** A shop as a service would have it: what is asked for where differs, and changes with time. */
export interface WorkloadOptions {
  /** Of the placement driver. */
  readonly pd: string;
  /** Calls at a time. */
  readonly clients: number;
  readonly signal: AbortSignal;
}

const CITIES = [
  "Berlin",
  "Lagos",
  "Lima",
  "Lyon",
  "Osaka",
  "Oslo",
  "Perth",
  "Quito",
  "Riga",
  "Seoul",
  "Turin",
  "Utrecht",
];
const WAVE_MS = 40_000;
const USERS = 40_000;

/** Reads and writes until the signal fires: orders at the end of their range, sessions all over, some users far more often. */
export async function runWorkload({ pd, clients, signal }: WorkloadOptions): Promise<void> {
  const client = await RdbClient.connect({ pd: [pd] });
  const startedMs = Date.now();
  let order = 0;
  const one = async (seed: number): Promise<void> => {
    let state = seed;
    const draw = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    while (!signal.aborted) {
      const wave = (Date.now() - startedMs) / WAVE_MS;
      const kind = draw(100);
      if (kind < 22) {
        order += 1;
        await client.put(
          `order/${String(order).padStart(9, "0")}`,
          orderText(order, CITIES[draw(CITIES.length)] ?? ""),
        );
      } else if (kind < 45) {
        await client.put(
          `session/${hex(draw(65_536))}`,
          JSON.stringify({ user: draw(USERS), seenMs: Date.now() }),
        );
      } else if (kind < 70) {
        // Whom people look at moves through the alphabet.
        const centre = (0.5 + 0.4 * Math.sin(wave)) * 1_000;
        await client.get(userKey(Math.floor(centre + (draw(60) + draw(60) - 60))));
      } else if (kind < 86) {
        await client.put(
          userKey(draw(1_000)),
          JSON.stringify({ name: `User ${draw(USERS)}`, city: CITIES[draw(CITIES.length)] }),
        );
      } else if (Math.sin(wave * 3) > 0) {
        await client.put(`stock/${String(draw(400)).padStart(4, "0")}`, String(draw(10_000)));
      } else {
        await client.get(`order/${String(Math.max(1, order - draw(500))).padStart(9, "0")}`);
      }
      await pause(2);
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, (_, at) => one(at * 7_919 + 17)));
  } finally {
    client.close();
  }
}

/** Keys at which a cluster for this load is split from the beginning. */
export function splitKeys(): string[] {
  const orders = Array.from({ length: 8 }, (_, at) => `order/${String(at * 6_000).padStart(9, "0")}`);
  const sessions = Array.from({ length: 8 }, (_, at) => `session/${hex(at * 8_192)}`);
  const stock = Array.from({ length: 2 }, (_, at) => `stock/${String(at * 200).padStart(4, "0")}`);
  const users = Array.from({ length: 14 }, (_, at) => userKey(at * 72));
  return [...orders, ...sessions, ...stock, ...users];
}

function orderText(order: number, city: string): string {
  return JSON.stringify({
    order,
    city,
    items: (order % 5) + 1,
    paid: order % 7 !== 0,
    note: "x".repeat(120),
  });
}

function userKey(place: number): string {
  const letter = String.fromCharCode(97 + Math.floor((Math.max(0, Math.min(999, place)) / 1_000) * 26));
  return `user/${letter}${String(place).padStart(4, "0")}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(4, "0");
}
