import type { JSX } from "preact";
import { useCluster, useFlows, useHotRegions, useOperators, useStores } from "../api/cluster.ts";
import type { Cluster, Flows, Region, Store } from "../api/gen/types.ts";
import { Chart } from "../parts/chart.tsx";
import { Awaited, Figure, Figures, Panel } from "../parts/frame.tsx";
import { KeyRangeText } from "../parts/key-range.tsx";
import { OperatorList } from "../parts/operator-list.tsx";
import { Table } from "../parts/table.tsx";
import { formatAddress } from "../pure/address.ts";
import { type Finding, findingsOf, healthSentence, worstLevel } from "../pure/findings.ts";
import { formatBytes, formatCount, formatLatency, formatRate, formatShare } from "../pure/format.ts";

const HOT_COUNT = 6;

/** How the cluster is, what it is doing, and what to do about what is wrong. */
export function OverviewPage(): JSX.Element {
  const cluster = useCluster();
  const { data: list } = useStores();
  const { data: flows } = useFlows();
  const stores = list?.stores ?? [];
  return (
    <Awaited asked={cluster}>
      {(answer) => {
        const findings = findingsOf(answer, stores, Date.now());
        return (
          <>
            <h1 class="lead">
              <span class={`dot tone-${worstLevel(answer, findings)}`} />
              {healthSentence(answer, findings)}
            </h1>
            <Findings findings={findings} />
            <KeyFigures cluster={answer} stores={stores} flows={flows} />
            <div class="grid">
              <Throughput flows={flows} />
              <Latency flows={flows} />
              <HotRegions />
              <RunningOperators />
            </div>
          </>
        );
      }}
    </Awaited>
  );
}

function Findings({ findings }: { readonly findings: readonly Finding[] }): JSX.Element | null {
  return findings.length === 0 ? null : (
    <ul class="findings" aria-label="What to look at">
      {findings.map(({ level, message, advice, address }) => (
        <li key={message} class={`note ${level}`}>
          <span class={`dot tone-${level}`} />
          <p>
            <strong>
              <a href={address}>{message}</a>
            </strong>{" "}
            <span class="soft">{advice}</span>
          </p>
        </li>
      ))}
    </ul>
  );
}

function KeyFigures(props: {
  readonly cluster: Cluster;
  readonly stores: readonly Store[];
  readonly flows: Flows | undefined;
}): JSX.Element {
  const { cluster, stores, flows } = props;
  const newest = flows?.points.at(-1);
  const present = stores.filter(({ state }) => state !== "tombstone");
  const used = sum(present.map(({ usedBytes = 0 }) => usedBytes));
  const available = sum(present.map(({ availableBytes = 0 }) => availableBytes));
  return (
    <Figures>
      <Figure name="Reads" more={latencyText(newest?.readP99Ms)}>
        {formatRate(newest?.readsPerSecond ?? 0)}
      </Figure>
      <Figure name="Writes" more={latencyText(newest?.writeP99Ms)}>
        {formatRate(newest?.writesPerSecond ?? 0)}
      </Figure>
      <Figure name="Stores" more={`${cluster.upStoreCount} of ${cluster.registeredStoreCount} up`}>
        {formatCount(cluster.registeredStoreCount)}
      </Figure>
      <Figure
        name="Regions"
        more={
          cluster.regionWithLeaderCount === cluster.regionCount
            ? "each has a leader"
            : `${cluster.regionCount - cluster.regionWithLeaderCount} have no leader`
        }
      >
        {formatCount(cluster.regionCount)}
      </Figure>
      <Figure name="On disk" more={`${formatShare(used, used + available)} of what there is`}>
        {formatBytes(used)}
      </Figure>
      <Figure
        name="Placement driver"
        more={`${cluster.members.find(({ isLeader }) => isLeader)?.name ?? "nobody"} leads`}
      >
        {cluster.members.length === 1 ? "1 member" : `${cluster.members.length} members`}
      </Figure>
    </Figures>
  );
}

function latencyText(p99Ms: number | null | undefined): string {
  return p99Ms === undefined || p99Ms === null ? "none just now" : `99 % within ${formatLatency(p99Ms)}`;
}

function Throughput({ flows }: { readonly flows: Flows | undefined }): JSX.Element {
  const points = flows?.points ?? [];
  return (
    <Panel title="Throughput" id="throughput" size="half">
      <Chart
        label="Requests a second"
        timesMs={points.map(({ timeMs }) => timeMs)}
        format={formatRate}
        series={[
          { name: "Reads", tone: "read", values: points.map(({ readsPerSecond }) => readsPerSecond) },
          { name: "Writes", tone: "write", values: points.map(({ writesPerSecond }) => writesPerSecond) },
        ]}
      />
    </Panel>
  );
}

function Latency({ flows }: { readonly flows: Flows | undefined }): JSX.Element {
  const points = flows?.points ?? [];
  return (
    <Panel title="Latency, 99 of 100 within" id="latency" size="half">
      <Chart
        label="Latency in the Stores, 99th percentile"
        timesMs={points.map(({ timeMs }) => timeMs)}
        format={formatLatency}
        series={[
          { name: "Reads", tone: "read", values: points.map(({ readP99Ms }) => readP99Ms) },
          { name: "Writes", tone: "write", values: points.map(({ writeP99Ms }) => writeP99Ms) },
        ]}
      />
    </Panel>
  );
}

function HotRegions(): JSX.Element {
  const hot = useHotRegions("writtenKeys", HOT_COUNT);
  return (
    <Panel
      title="Busiest Regions"
      id="hot"
      size="half"
      isFlush
      tools={<a href={formatAddress(["heat"])}>Key space over time</a>}
    >
      <Awaited asked={hot}>
        {({ regions }) => (
          <Table
            label="Busiest Regions"
            keyOf={({ id }) => id}
            rows={regions}
            empty="No Region is being written to just now."
            columns={[
              { name: "Region", cell: ({ id }) => <a href={formatAddress(["regions", id])}>{id}</a> },
              { name: "Keys", cell: (region: Region) => <KeyRangeText region={region} />, isKey: true },
              { name: "Writes", cell: ({ load }) => formatRate(load.writtenKeysPerSecond), isNumber: true },
              { name: "Reads", cell: ({ load }) => formatRate(load.readKeysPerSecond), isNumber: true },
            ]}
          />
        )}
      </Awaited>
    </Panel>
  );
}

function RunningOperators(): JSX.Element {
  const running = useOperators();
  return (
    <Panel
      title="What the placement driver is doing"
      id="running"
      size="half"
      isFlush
      tools={<a href={formatAddress(["operators"])}>All operators</a>}
    >
      <Awaited asked={running}>
        {({ operators }) => (
          <OperatorList
            operators={operators.slice(0, HOT_COUNT)}
            empty="Nothing: every Region lies where it should."
          />
        )}
      </Awaited>
    </Panel>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
