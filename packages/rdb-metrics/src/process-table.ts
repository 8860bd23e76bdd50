import {
  counter,
  counterBy,
  gauge,
  gaugeBy,
  histogram,
  histogramBy,
  maybe,
  openMetric,
} from "./definition.ts";

const loopDelayBuckets: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const gcBuckets: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Of every process. */
export const processTable = {
  buildInfo: openMetric(
    "gauge",
    "flaredb_build_info",
    "1; what runs: the program, its version, Node's version.",
    {
      labels: ["program", "version", "node"],
      absentWhen: "never",
    },
  ),
  startTime: gauge("process_start_time_seconds", "When the process started, seconds since 1970."),
  cpu: counter("process_cpu_seconds_total", "CPU time of all threads of the process, user and system."),
  residentMemory: gauge("process_resident_memory_bytes", "Memory of the process that is in RAM."),
  heap: gaugeBy(
    "flaredb_process_heap_bytes",
    "V8's heap: what is in use, and what is reserved for it.",
    "state",
    ["used", "reserved"],
  ),
  externalMemory: gauge(
    "flaredb_process_external_memory_bytes",
    "Memory outside V8's heap that its objects hold: buffers, most of all.",
  ),
  eventLoopDelay: histogram(
    "flaredb_process_event_loop_delay_seconds",
    "How much later than asked for a timer fired, looked at ten times a second: how long what arrives waits for the loop.",
    loopDelayBuckets,
  ),
  eventLoopActive: counter(
    "flaredb_process_event_loop_active_seconds_total",
    "Time in which the event loop worked rather than waited; its rate is the share of one core that the loop has used up.",
  ),
  gc: maybe(
    "no garbage of the kind was collected yet",
    histogramBy(
      "flaredb_process_gc_pause_seconds",
      "Pauses for collecting garbage: minor (young objects), major (all), incremental (marking), weak (callbacks).",
      gcBuckets,
      { label: "kind", values: ["minor", "major", "incremental", "weak"] },
    ),
  ),
  connections: gauge("flaredb_process_rpc_connections", "Connections of the RPC port that are open."),
  connectionsCut: counterBy(
    "flaredb_process_rpc_connections_cut_total",
    "Connections of the RPC port that the process ended: as there were too many (closed unread), as nothing was heard (silent), as no call was open for long (idle), as the caller broke off or the protocol (failed).",
    "reason",
    ["too_many", "silent", "idle", "failed"],
  ),
  fullConnections: counter(
    "flaredb_process_rpc_connections_full_total",
    "How often a connection of the RPC port had as many calls open as it may; calls beyond are refused unheard.",
  ),
  httpConnectionsDropped: counter(
    "flaredb_process_http_connections_dropped_total",
    "Connections of the HTTP port that were closed unread as there were too many.",
  ),
};
