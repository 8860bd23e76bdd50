import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../wait.ts";

const START_TIMEOUT_MS = 30_000;

/** What one query found, as Prometheus' HTTP API tells it. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface PrometheusOptions {
  /** An empty folder, for what it needs. */
  readonly folder: string;
  readonly port: number;
  readonly rulesFile: string;
  /** host:port by job. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
}

/** A real Prometheus, which scrapes every second. */
export class PrometheusProcess {
  readonly #child: ChildProcess;
  readonly #origin: string;
  #output = "";

  constructor({ folder, port, rulesFile, targets }: PrometheusOptions) {
    const config = join(folder, "prometheus.json");
    // JSON is YAML.
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        rule_files: [rulesFile],
        scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
          job_name: job,
          static_configs: [{ targets: addresses }],
        })),
      }),
    );
    this.#origin = `http://127.0.0.1:${port}`;
    this.#child = spawn(
      "prometheus",
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.#child.once("error", (error) => {
      this.#output += error.message;
    });
  }

  /** Resolves once it answers queries. */
  async ready(): Promise<void> {
    await waitFor("Prometheus to be ready", START_TIMEOUT_MS, async () => {
      if (this.#child.exitCode !== null) {
        throw new Error(`Prometheus ended with ${this.#child.exitCode}: ${this.#output}`);
      }
      return (await fetch(`${this.#origin}/-/ready`)).ok;
    });
  }

  /** @throws Error with what Prometheus has against the query */
  async query(expr: string): Promise<readonly QueryResult[]> {
    const response = await fetch(`${this.#origin}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const body = (await response.json()) as {
      readonly status: string;
      readonly error?: string;
      readonly data?: { readonly result: readonly QueryResult[] };
    };
    if (body.status !== "success" || body.data === undefined) {
      throw new Error(`${expr}: ${body.error}`);
    }
    return body.data.result;
  }

  /** The alerts that fire, or wait to. */
  async alerts(): Promise<readonly { readonly name: string; readonly state: string }[]> {
    const found = await this.query("ALERTS");
    return found.map(({ metric }) => ({
      name: metric["alertname"] ?? "",
      state: metric["alertstate"] ?? "",
    }));
  }

  /** Type and help of every metric that it has seen. */
  async metadata(): Promise<ReadonlyMap<string, { readonly type: string; readonly help: string }>> {
    const response = await fetch(`${this.#origin}/api/v1/metadata`);
    const body = (await response.json()) as {
      readonly data: Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>;
    };
    return new Map(
      Object.entries(body.data).flatMap(([name, [first]]) => (first === undefined ? [] : [[name, first]])),
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once("close", resolve));
      this.#child.kill("SIGTERM");
      await ended;
    }
  }
}
