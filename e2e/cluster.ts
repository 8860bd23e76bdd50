import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { systemClock, systemRandom } from "@flaredb/rdb-base";
import { type AnswerListener, RdbClient } from "@flaredb/rdb-client";
import { KvService, PdService, type RegionRoute } from "@flaredb/rdb-proto";
import { TlsIdentity, type UnaryTransport, httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { freePorts } from "./free-ports.ts";
import { ManagedProcess } from "./managed-process.ts";
import { Network } from "./network.ts";
import { waitFor } from "./wait.ts";

const STORE_PROGRAM = fileURLToPath(new URL("../packages/rdb-server/bin/rdb-server.mjs", import.meta.url));
export const PD_PROGRAM = fileURLToPath(new URL("../packages/rdb-pd/bin/rdb-pd.mjs", import.meta.url));

const SERVING_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 2_000;

export interface ClusterOptions {
  /** Default: 3. */
  readonly storeCount?: number;
  /** Keys at which Regions begin, by comma. Default: one Region. */
  readonly initialRegions?: string;
  /** Fields of each Store's config file. */
  readonly storeConfig?: Readonly<Record<string, unknown>>;
  /** The Stores' program. Default: `rdb-server`. */
  readonly storeProgram?: string;
  /** Puts proxies between all processes, for partitions. Default: no. */
  readonly network?: boolean;
  /** The folder of the certificates `pd`, `store-1`, …, `client`, for mutual TLS. Default: nothing is encrypted. */
  readonly certificates?: string;
}

/** PEM files: the authority, and one process's own. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Where the files of `name` lie, as `rdb cert create` calls them. */
export function tlsFilesOf(folder: string, name: string): CertificateFiles {
  return {
    ca: join(folder, "ca.crt"),
    cert: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  };
}

/** The flags with which a process, or `rdb`, is given its certificate. */
export function tlsFlags(certificates: string | undefined, name: string): Readonly<Record<string, string>> {
  if (certificates === undefined) {
    return {};
  }
  const { ca, cert, key } = tlsFilesOf(certificates, name);
  return { "tls-ca": ca, "tls-cert": cert, "tls-key": key };
}

export interface TestClientOptions {
  /** Of each call. Default: the SDK's. */
  readonly deadlineMs?: number;
  /** Is told every answer that ends a call: for histories. */
  readonly onAnswer?: AnswerListener;
}

/** One Store of a cluster under test. Its place counts from 0; its id is PD's to choose. */
export class TestStore extends ManagedProcess {
  readonly place: number;
  /** Where others reach it. */
  readonly address: string;
  readonly httpUrl: string;
  readonly configFile: string;

  constructor(place: number, folder: string, ports: StorePorts, pdAddress: string, options: ClusterOptions) {
    const name = `store-${place + 1}`;
    const configFile = join(folder, `${name}.json`);
    writeFileSync(configFile, JSON.stringify(options.storeConfig ?? {}));
    const address = `127.0.0.1:${ports.proxy ?? ports.rpc}`;
    const flags = {
      config: configFile,
      "data-dir": join(folder, name),
      pd: pdAddress,
      host: "127.0.0.1",
      port: ports.rpc,
      "http-port": ports.http,
      ...tlsFlags(options.certificates, name),
      ...(options.network === true
        ? { "advertise-address": address, "outgoing-host": Network.outgoingHost(place) }
        : {}),
    };
    const program = options.storeProgram ?? STORE_PROGRAM;
    super({ name, program, args: toArgs(flags), logFile: join(folder, `${name}.log`) });
    this.place = place;
    this.configFile = configFile;
    this.address = address;
    this.httpUrl = `http://127.0.0.1:${ports.http}`;
  }

  /** A foreign client's put through this Store: "ok", or the name of the RPC error. */
  unaryPut(key: string, value: string, timeoutMs: number): Promise<string> {
    return unaryPut(this.address, key, value, timeoutMs);
  }

  /** A foreign client's read through this Store: the value, or the name of the RPC error. */
  unaryGet(key: string, timeoutMs: number): Promise<string> {
    return unaryGet(this.address, key, timeoutMs);
  }
}

function unaryGet(address: string, key: string, timeoutMs: number): Promise<string> {
  return callStore(address, async (kv) => {
    const { value } = await kv.get({ key: encode(key) }, { timeoutMs });
    return Buffer.from(value).toString();
  });
}

function unaryPut(address: string, key: string, value: string, timeoutMs: number): Promise<string> {
  return callStore(address, async (kv) => {
    await kv.put({ key: encode(key), value: encode(value) }, { timeoutMs });
    return "ok";
  });
}

/** What `call` returns, or the name of the RPC error, such as `Unavailable`. */
async function callStore(
  address: string,
  call: (kv: Client<typeof KvService>) => Promise<string>,
): Promise<string> {
  const connection = unaryTransport(address);
  try {
    return await call(createClient(KvService, connection.transport));
  } catch (error) {
    return Code[ConnectError.from(error).code];
  } finally {
    connection.close();
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

interface StorePorts {
  readonly rpc: number;
  readonly http: number;
  readonly proxy: number | undefined;
}

/** One PD and some Stores as real processes on free ports, with their data in a temporary folder. */
export class TestCluster {
  readonly folder: string;
  readonly pd: ManagedProcess;
  readonly stores: readonly TestStore[];
  /** Where clients reach PD. */
  readonly pdAddress: string;
  readonly pdHttpUrl: string;
  /** Only with `network`. */
  readonly network: Network;
  readonly #pdConnection: UnaryTransport;
  readonly #clients: RdbClient[] = [];
  readonly #tls: CertificateFiles | undefined;

  /** Starts everything, and waits until every Region has a leader. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(options);
    try {
      await Promise.all([cluster.pd.launch(), ...cluster.stores.map((store) => store.launch())]);
      await cluster.waitUntilServing();
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  /** Lays everything out; starts only the proxies. */
  static async prepare(options: ClusterOptions): Promise<TestCluster> {
    const storeCount = options.storeCount ?? 3;
    const hasNetwork = options.network === true;
    const ports = await freePorts(3 + 3 * storeCount);
    const take = (): number => ports.pop() as number;
    const pdPorts: StorePorts = { rpc: take(), http: take(), proxy: hasNetwork ? take() : undefined };
    const storePorts = Array.from({ length: storeCount }, () => ({
      rpc: take(),
      http: take(),
      proxy: hasNetwork ? take() : undefined,
    }));
    const network = new Network();
    const fronts = [["pd", pdPorts] as const, ...storePorts.entries()];
    for (const [party, { rpc, proxy }] of fronts) {
      if (proxy !== undefined) {
        await network.front(party, rpc, proxy);
      }
    }
    return new TestCluster(options, network, pdPorts, storePorts);
  }

  private constructor(
    options: ClusterOptions,
    network: Network,
    pdPorts: StorePorts,
    storePorts: readonly StorePorts[],
  ) {
    this.network = network;
    this.folder = mkdtempSync(join(tmpdir(), "flaredb-e2e-"));
    this.pdAddress = `127.0.0.1:${pdPorts.proxy ?? pdPorts.rpc}`;
    this.pdHttpUrl = `http://127.0.0.1:${pdPorts.http}`;
    const pdFlags = {
      "data-dir": join(this.folder, "pd"),
      host: "127.0.0.1",
      port: pdPorts.rpc,
      "http-port": pdPorts.http,
      "advertise-address": this.pdAddress,
      "bootstrap-stores": storePorts.length,
      ...tlsFlags(options.certificates, "pd"),
      ...(options.initialRegions === undefined ? {} : { "initial-regions": options.initialRegions }),
    };
    this.pd = new ManagedProcess({
      name: "pd",
      program: PD_PROGRAM,
      args: toArgs(pdFlags),
      logFile: join(this.folder, "pd.log"),
    });
    this.stores = storePorts.map(
      (ports, place) => new TestStore(place, this.folder, ports, this.pdAddress, options),
    );
    this.#tls = options.certificates === undefined ? undefined : tlsFilesOf(options.certificates, "client");
    const identity = this.#tls === undefined ? undefined : TlsIdentity.open(this.#tls);
    this.#pdConnection = unaryTransport(this.pdAddress, {}, identity);
  }

  /** PD's own methods. */
  get pdClient(): Client<typeof PdService> {
    return createClient(PdService, this.#pdConnection.transport);
  }

  /** A client of its own; closed with the cluster. */
  async connect({ onAnswer, ...others }: TestClientOptions = {}): Promise<RdbClient> {
    const options = {
      ...{ pd: [this.pdAddress], ...others },
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
    };
    const ports = { clock: systemClock, random: systemRandom, wire: httpWire(), onAnswer };
    const client = await (onAnswer === undefined
      ? RdbClient.connect(options)
      : RdbClient.connectOver(options, ports));
    this.#clients.push(client);
    return client;
  }

  /** Waits until the initial Regions are placed and each has a leader. */
  async waitUntilServing(): Promise<void> {
    await waitFor("a cluster with a leader for every Region", SERVING_TIMEOUT_MS, async () => {
      const info = await this.pdClient.getClusterInfo({}, { timeoutMs: CALL_TIMEOUT_MS });
      return info.bootstrapped && info.regionCount > 0 && info.regionWithLeaderCount === info.regionCount;
    });
  }

  /** All Regions in the order of their keys, as PD knows them. */
  async regions(): Promise<RegionRoute[]> {
    return (await this.pdClient.listRegions({}, { timeoutMs: CALL_TIMEOUT_MS })).routes;
  }

  /** The Store that leads the Region that holds `key`, as PD knows it; waits until there is one that runs. */
  async leaderOf(key: string): Promise<TestStore> {
    return waitFor(`a leader of the Region of "${key}"`, SERVING_TIMEOUT_MS, async () => {
      const request = { key: encode(key) };
      const { route, stores } = await this.pdClient.getRegion(request, { timeoutMs: CALL_TIMEOUT_MS });
      const leader = stores.find((store) => store.id === route?.leader?.storeId);
      return this.stores.find((store) => store.address === leader?.address && store.isRunning);
    });
  }

  /** Ends that no test asked for. */
  unexpectedEnds(): string[] {
    return [this.pd, ...this.stores].flatMap((process) => process.unexpectedEnds);
  }

  /** Ends everything at once and removes its data. */
  async dispose(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    this.#pdConnection.close();
    const processes = [this.pd, ...this.stores];
    await Promise.all(processes.map((process) => process.kill()));
    await this.network.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function toArgs(flags: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
