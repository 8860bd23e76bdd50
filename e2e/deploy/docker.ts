import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Runs a program at the repository's root; resolves to what it printed, and rejects with that when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  try {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: OUTPUT_MAX_BYTES };
    return (await promisify(execFile)(program, args, options)).stdout.trim();
  } catch (error) {
    const { stdout, stderr, message } = error as Error & {
      readonly stdout?: string;
      readonly stderr?: string;
    };
    throw new Error(`${program} ${args.join(" ")}: ${message}\n${stdout ?? ""}${stderr ?? ""}`, {
      cause: error,
    });
  }
}

/** Whether a program is there. */
export async function isInstalled(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

/** How a container is. */
export interface ContainerState {
  readonly isRunning: boolean;
  readonly isHealthy: boolean;
  readonly exitCode: number;
  /** How often Docker started it again. */
  readonly restartCount: number;
}

/** One project of docker-compose, of files in deploy/: its containers, network and volumes. */
export class ComposeProject {
  readonly #name: string;
  readonly #program: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  private constructor(name: string, program: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#program = program;
    this.#env = env;
  }

  /**
   * With docker-compose (v1, or v2 under that name), or else with Docker's plugin.
   *
   * @param files of `deploy/`, the later laid over the earlier
   */
  static async create(
    name: string,
    env: NodeJS.ProcessEnv,
    files: readonly string[] = ["docker-compose.yaml"],
  ): Promise<ComposeProject> {
    const program = (await isInstalled("docker-compose")) ? ["docker-compose"] : ["docker", "compose"];
    const named = files.flatMap((file) => ["-f", `deploy/${file}`]);
    return new ComposeProject(name, [...program, "-p", name, ...named], env);
  }

  /** Runs one of docker-compose's commands. */
  compose(...args: readonly string[]): Promise<string> {
    const [program = "", ...before] = this.#program;
    return run(program, [...before, ...args], this.#env);
  }

  /** Runs a command in a service's container. */
  async exec(service: string, ...command: readonly string[]): Promise<string> {
    return run("docker", ["exec", await this.containerOf(service), ...command]);
  }

  /** `rdb … --json` in the container of a member of PD. */
  async rdb<Result>(...args: readonly string[]): Promise<Result> {
    return JSON.parse(await this.exec("pd-2", "rdb", ...args, "--json")) as Result;
  }

  /** Runs an ES module, given as text, beside the programs in a service's container. */
  async runModule(service: string, source: string, args: readonly string[]): Promise<string> {
    const id = await this.containerOf(service);
    const command = ["exec", "-i", "-w", "/opt/flaredb", id, "node", "--input-type=module", "-", ...args];
    const child = spawn("docker", command, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(source);
    return outputOf(child);
  }

  /** The id of a service's container, also of one that ended. By its labels: docker-compose itself takes a second. */
  async containerOf(service: string): Promise<string> {
    const labels = { project: this.#name, service };
    const filters = Object.entries(labels).flatMap(([label, value]) => [
      "--filter",
      `label=com.docker.compose.${label}=${value}`,
    ]);
    const id = await run("docker", ["ps", "-a", "-q", ...filters]);
    if (id === "") {
      throw new Error(`${service} has no container`);
    }
    return id;
  }

  async stateOf(service: string): Promise<ContainerState> {
    const [inspected] = JSON.parse(await run("docker", ["inspect", await this.containerOf(service)]));
    return {
      isRunning: inspected.State.Running,
      isHealthy: inspected.State.Health?.Status === "healthy",
      exitCode: inspected.State.ExitCode,
      restartCount: inspected.RestartCount,
    };
  }
}

async function outputOf(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [exitCode] = (await once(child, "close")) as [number | null];
  if (exitCode !== 0) {
    throw new Error(`docker exec ended with ${exitCode}`);
  }
  return Buffer.concat(chunks).toString();
}
