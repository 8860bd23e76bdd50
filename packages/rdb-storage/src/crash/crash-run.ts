import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Random, FULL_RANGE, SeededRandom, systemClock } from "@flaredb/rdb-base";
import type { Engine, Row } from "../engine.ts";
import { keyText } from "../key-text.ts";
import { openRocksEngine } from "../rocks-engine.ts";
import { HistoryModel, historyColumns, historyLength, historyStep } from "./history.ts";
import { WatchedFolder } from "./watched-folder.ts";

/** The longest that a killed process had been writing. */
const LIFE_MAX_MS = 500;

export interface CrashChain {
  /** Where everything of this chain lies; exists and is empty. */
  readonly workFolder: string;
  /** Decides the history and the moments. */
  readonly seed: number;
  readonly lives: number;
  /** Whether the process syncs what it calls durable. */
  readonly sync: boolean;
  /** sync-shim.so; undefined: the process is killed, and its files stay as they are. */
  readonly shim: string | undefined;
}

/**
 * Lets a process write, kills it, checks what a crash leaves, and begins the next life from that. Lives that end before
 * their first step is on the disk, as all of them may on a busy machine, show nothing: more follow until one is.
 *
 * @returns the steps found after the last life
 * @throws Error when a life lost a step that was called durable, or left anything but a prefix of the history
 */
export async function runCrashChain(chain: CrashChain): Promise<number> {
  const random = new SeededRandom(chain.seed);
  let folder = join(chain.workFolder, "first");
  let length = 0;
  for (let life = 0; life < chain.lives || length === 0; life++) {
    const workFolder = join(chain.workFolder, `life-${life}`);
    mkdirSync(workFolder);
    const killed = await runAndKill({ ...chain, workFolder, folder, random });
    folder = killed.folder;
    // What was found once is durable: opening it wrote it anew.
    length = await verifyPrefix(folder, chain.seed, Math.max(length, killed.acknowledged));
  }
  return length;
}

interface CrashRun {
  /** Where everything of this run lies; empty at first. */
  readonly workFolder: string;
  /** What the process starts from; another path than this holds what the crash left. */
  readonly folder: string;
  readonly seed: number;
  readonly random: Random;
  readonly sync: boolean;
  /** sync-shim.so; undefined: the process is killed, and its files stay as they are. */
  readonly shim: string | undefined;
}

interface Killed {
  /** What the crash left. */
  readonly folder: string;
  /** The last step that the process had called durable; 0 when none. */
  readonly acknowledged: number;
}

/** Lets a process write its history, kills it at a random moment and returns what a crash would have left. */
async function runAndKill(run: CrashRun): Promise<Killed> {
  const { workFolder, folder, shim } = run;
  const watched = shim === undefined ? undefined : WatchedFolder.begin({ folder, workFolder, shim });
  mkdirSync(folder, { recursive: true });
  const acknowledged = await writeUntilKilled(run, watched?.environment ?? {});
  if (watched === undefined) {
    return { folder, acknowledged };
  }
  const target = join(workFolder, "image");
  watched.losePower(target, run.random);
  return { folder: target, acknowledged };
}

async function writeUntilKilled(
  run: CrashRun,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const notes = join(run.workFolder, "durable-steps");
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL("./history-child.ts", import.meta.url)),
      run.folder,
      notes,
      String(run.seed),
      run.sync ? "sync" : "no-sync",
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: join(run.workFolder, "..", "compile-cache"),
        ...environment,
      },
    },
  );
  const lifeMs = run.random.nextInt(LIFE_MAX_MS);
  // One in four dies while it opens, which is when the database recovers from the crash before.
  const fromStart = run.random.nextInt(4) === 0;
  await watch(child, lifeMs, fromStart);
  return lastNoted(notes);
}

/** The last step that was noted as durable; 0 when none was. A note may have been cut in the middle. */
function lastNoted(notes: string): number {
  const lines = existsSync(notes) ? readFileSync(notes, "utf8").split("\n").slice(0, -1) : [];
  return Number(lines.at(-1) ?? 0);
}

/** Kills the process so long after it began, or began to write; resolves once it is gone. */
function watch(child: ChildProcess, lifeMs: number, fromStart: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let errors = "";
    let timer: NodeJS.Timeout | undefined;
    const killLater = (): void => {
      timer ??= setTimeout(() => child.kill("SIGKILL"), lifeMs);
    };
    if (fromStart) {
      killLater();
    }
    child.stdout?.once("data", killLater);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      clearTimeout(timer);
      if (signal !== "SIGKILL") {
        reject(new Error(`the writing process ended by itself: ${errors}`));
        return;
      }
      resolve();
    });
  });
}

/**
 * Opens what a crash left and compares every row of every column with the history.
 *
 * @returns the number of steps that it holds
 * @throws Error when it is no prefix of the history, or one without a step that was acknowledged
 */
async function verifyPrefix(folder: string, seed: number, acknowledged: number): Promise<number> {
  const engine = await openRocksEngine({
    path: folder,
    clock: systemClock,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    const length = historyLength(engine);
    if (length < acknowledged) {
      throw new Error(`step ${acknowledged} was called durable, but only ${length} steps are there`);
    }
    await compareWithHistory(engine, seed, length);
    return length;
  } finally {
    await engine.close();
  }
}

async function compareWithHistory(engine: Engine, seed: number, length: number): Promise<void> {
  const model = new HistoryModel(seed);
  model.advanceTo(length);
  let difference = await findDifference(engine, model);
  // Deletions of ranges carry no number: those that follow may have been kept too.
  for (
    let next = length + 1;
    difference !== undefined && historyStep(seed, next).kind === "deleteRange";
    next++
  ) {
    model.advanceTo(next);
    difference = await findDifference(engine, model);
  }
  if (difference !== undefined) {
    throw new Error(`what is found is not the first ${length} steps: ${difference}`);
  }
}

async function findDifference(engine: Engine, model: HistoryModel): Promise<string | undefined> {
  for (const column of historyColumns) {
    const found = (await readAll(engine, column)).map(
      ({ key, value }) => [keyText(key), keyText(value)] as const,
    );
    // The engine's own row.
    const own = column === "meta" ? found.filter(([key]) => key !== "format") : found;
    const expected = model.rows(column);
    if (own.length !== expected.length) {
      return `column ${column} has ${own.length} rows, not ${expected.length}`;
    }
    const position = own.findIndex(
      ([key, value], at) => key !== expected[at]?.[0] || value !== expected[at]?.[1],
    );
    if (position >= 0) {
      return `column ${column} has another row at ${position}: ${JSON.stringify(own[position]?.[0])}`;
    }
  }
  return undefined;
}

async function readAll(engine: Engine, column: (typeof historyColumns)[number]): Promise<Row[]> {
  const cursor = engine.openCursor(column, FULL_RANGE);
  const rows: Row[] = [];
  try {
    for (;;) {
      const page = await cursor.next(1_000, 1_000_000);
      rows.push(...page.rows);
      if (page.done) {
        return rows;
      }
    }
  } finally {
    cursor.close();
  }
}
