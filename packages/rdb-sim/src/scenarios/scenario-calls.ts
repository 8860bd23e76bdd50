import type { RdbClient } from "@flaredb/rdb-client";
import { type Call, History } from "../check/history.ts";
import type { Member, SimCluster } from "../cluster/sim-cluster.ts";
import { UsedIdentities } from "../run/used-identities.ts";
import { CallRecorder } from "../workload/call-recorder.ts";
import type { WorkloadOptions } from "../workload/client-loops.ts";
import { PrefixWorkload } from "../workload/prefix-workload.ts";
import { RecordedClient } from "../workload/recorded-client.ts";
import { RegisterWorkload } from "../workload/register-workload.ts";
import type { Workload } from "../workload/workload.ts";
import { ScenarioClient } from "./scenario-client.ts";

const NS_PER_MS = 1e6;
/** Stands in the names of the loops' clients, in no others. */
const LOOP_MARK = ".";
/** Keys that all loops share. */
const REGISTERS = ["register 0", "register 1", "register 2", "register 3"];

/** What the clients of a scenario do, and what they are told. */
export class ScenarioCalls {
  readonly history = new History();
  readonly workloads: Workload[] = [];
  /** What calls of the client loops failed with. */
  readonly loopFailures: Call[] = [];
  readonly #nowMs: () => number;
  readonly #recorders = new Map<string, CallRecorder>();
  readonly #used = new UsedIdentities();
  #okCount = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Answered calls of all client loops. */
  get okCount(): number {
    return this.#okCount;
  }

  /** Hears the answers that the client of a process gets. */
  listenerOf(process: string): Pick<CallRecorder, "onAnswer"> {
    return {
      onAnswer: (answer) => {
        this.#used.answered(process, answer);
        this.#recorderOf(process).onAnswer(answer);
      },
    };
  }

  /** A process of a client begins. */
  clientStarted(process: string): void {
    this.#used.started(process);
  }

  /** Copies of requests come only of writes that are answered. */
  watch({ net }: SimCluster): void {
    net.mayRepeat = (host, message) => this.#used.mayRepeat(host, message);
  }

  /** A client for calls one by one. */
  clientOn({ name, process }: Member<RdbClient>): ScenarioClient {
    return new ScenarioClient({ name, recorder: this.#recorderOf(name), running: () => process.running });
  }

  /**
   * The client loop of SCENARIOS.md: puts and scans of each client's own keys. Beside it a second client of the same
   * process does everything to a few keys that all share.
   */
  startLoops(members: readonly Member<RdbClient>[], common: Omit<WorkloadOptions, "clients">): void {
    const clientsFor = (purpose: string): RecordedClient[] =>
      members.map((member) => this.#recordedClient(member, purpose));
    this.workloads.push(
      new PrefixWorkload({ ...common, clients: clientsFor("own"), prefixOf: () => "own " }),
      new RegisterWorkload({ ...common, clients: clientsFor("register"), groups: [REGISTERS] }),
    );
  }

  /** Lets the loops end, and reads back what they wrote. */
  async finishLoops(reader: Member<RdbClient>): Promise<void> {
    await Promise.all(this.workloads.map((workload) => workload.stop()));
    const client = this.#recordedClient(reader, "reader");
    await Promise.all(this.workloads.map((workload) => workload.finish(client)));
  }

  #recorderOf(process: string): CallRecorder {
    const known = this.#recorders.get(process);
    const nowNs = (): number => Math.round(this.#nowMs() * NS_PER_MS);
    const onCall = (call: Call): void => this.#noteCall(call);
    const recorder = known ?? new CallRecorder({ history: this.history, nowNs, onCall });
    this.#recorders.set(process, recorder);
    return recorder;
  }

  #noteCall(call: Call): void {
    if (!call.client.includes(LOOP_MARK)) {
      return;
    }
    if (call.outcome === "ok") {
      this.#okCount++;
    } else {
      this.loopFailures.push(call);
    }
  }

  #recordedClient({ name, process }: Member<RdbClient>, purpose: string): RecordedClient {
    return new RecordedClient({
      name: `${name}${LOOP_MARK}${purpose}`,
      recorder: this.#recorderOf(name),
      client: () => process.running,
    });
  }
}
