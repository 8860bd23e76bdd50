import type { JSX } from "preact";
import type { Explanations, HeatMap, Operator, Region, Siblings } from "../api/gen/types.ts";
import { withQuery } from "../api/client.ts";
import { useApi } from "../api/use-api.ts";
import { Chart } from "../parts/chart.tsx";
import { Awaited, Badge, Figure, Figures, PageHead, Panel } from "../parts/frame.tsx";
import { rangeText } from "../parts/key-range.tsx";
import { OperatorList } from "../parts/operator-list.tsx";
import { RegionPeersPanel } from "../parts/region-peers.tsx";
import { type Address, formatAddress } from "../pure/address.ts";
import { formatBytes, formatCount, formatRate } from "../pure/format.ts";

const EVERY_MS = 2_000;
const FLOW_EVERY_MS = 5_000;
const EXPLAIN_EVERY_MS = 4_000;

/** One Region: its peers, what it is asked for, what was done to it, and what the placement driver would do with it. */
export function RegionPage({ parts }: Address): JSX.Element {
  const id = parts[1] ?? "";
  const path = `/regions/${encodeURIComponent(id)}`;
  const asked = useApi<Region>(path, EVERY_MS);
  return (
    <>
      <PageHead
        title={`Region ${id}`}
        about={asked.data === undefined ? undefined : <RangeLine region={asked.data} />}
      >
        <Neighbours path={path} />
      </PageHead>
      <Awaited asked={asked}>
        {(region) => (
          <>
            <RegionFigures region={region} />
            <div class="grid">
              <RegionPeersPanel region={region} />
              <Flow region={region} />
              <Explained path={path} />
              <History id={id} />
            </div>
          </>
        )}
      </Awaited>
    </>
  );
}

function RangeLine({ region }: { readonly region: Region }): JSX.Element {
  return (
    <>
      <span class="mono">{rangeText(region)}</span>{" "}
      <a href={formatAddress(["data"], { startKeyHex: region.startKeyHex })}>Look at its rows</a>
    </>
  );
}

function Neighbours({ path }: { readonly path: string }): JSX.Element {
  const { data } = useApi<Siblings>(`${path}/siblings`);
  return (
    <>
      {data?.left === undefined || data.left === null ? null : (
        <a class="button" href={formatAddress(["regions", data.left.id])}>
          ← Region {data.left.id}
        </a>
      )}
      {data?.right === undefined || data.right === null ? null : (
        <a class="button" href={formatAddress(["regions", data.right.id])}>
          Region {data.right.id} →
        </a>
      )}
    </>
  );
}

function RegionFigures({ region }: { readonly region: Region }): JSX.Element {
  const { leader, term, epoch, approximateSizeBytes, approximateKeyCount, load, verifiedIndex } = region;
  return (
    <Figures>
      <Figure name="Leader" more={`term ${formatCount(term)}`}>
        {leader === null ? "none" : `Store ${leader.storeId}`}
      </Figure>
      <Figure name="Size" more={`${formatCount(approximateKeyCount)} rows`}>
        {formatBytes(approximateSizeBytes)}
      </Figure>
      <Figure name="Writes" more={`${formatBytes(load.writtenBytesPerSecond)}/s`}>
        {formatRate(load.writtenKeysPerSecond)}
      </Figure>
      <Figure name="Reads" more={`${formatBytes(load.readBytesPerSecond)}/s`}>
        {formatRate(load.readKeysPerSecond)}
      </Figure>
      <Figure name="Epoch" more="changes of peers, of range">
        {epoch.confVer} · {epoch.version}
      </Figure>
      <Figure name="Peers compared" more="up to this index of the log">
        {verifiedIndex === 0 ? "not yet" : formatCount(verifiedIndex)}
      </Figure>
    </Figures>
  );
}

/** What the Region's keys were asked for: the heat map's columns of just this range. */
function Flow({ region }: { readonly region: Region }): JSX.Element {
  const { startKeyHex, endKeyHex } = region;
  const range = { startKeyHex, endKeyHex, buckets: 1 };
  const written = useApi<HeatMap>(withQuery("/heatmap", { kind: "writtenKeys", ...range }), FLOW_EVERY_MS);
  const read = useApi<HeatMap>(withQuery("/heatmap", { kind: "readKeys", ...range }), FLOW_EVERY_MS);
  const columns = written.data?.columns ?? [];
  const valuesOf = (map: HeatMap | undefined): (number | null)[] =>
    columns.map((_, at) => map?.values[at]?.[0] ?? null);
  return (
    <Panel title="What it is asked for" id="flow" size="half">
      <Chart
        label="Keys a second"
        timesMs={columns.map(({ endMs }) => endMs)}
        format={formatRate}
        height={170}
        series={[
          { name: "Reads", tone: "read", values: valuesOf(read.data) },
          { name: "Writes", tone: "write", values: valuesOf(written.data) },
        ]}
      />
    </Panel>
  );
}

function Explained({ path }: { readonly path: string }): JSX.Element {
  const asked = useApi<Explanations>(`${path}/explain`, EXPLAIN_EVERY_MS);
  return (
    <Panel title="What the placement driver would do, or why nothing" id="explain" size="half" isFlush>
      <Awaited asked={asked}>
        {({ explanations }) => (
          <ul class="operators">
            {explanations.map(({ source, acts, summary, ruledOut }) => (
              <li key={source} class="operator">
                <div class="operator-head">
                  <strong>{source}</strong>
                  {acts ? <Badge tone="accent">would act</Badge> : null}
                </div>
                <p class="soft">{summary}</p>
                {ruledOut.length === 0 ? null : (
                  <details>
                    <summary class="soft">Stores that it ruled out: {ruledOut.length}</summary>
                    <ul class="ruled-out">
                      {ruledOut.map(({ storeId, filter, reason }) => (
                        <li key={`${storeId} ${filter}`}>
                          Store {storeId} <span class="mono">{filter}</span>{" "}
                          <span class="soft">{reason}</span>
                        </li>
                      ))}
                    </ul>
                  </details>
                )}
              </li>
            ))}
          </ul>
        )}
      </Awaited>
    </Panel>
  );
}

function History({ id }: { readonly id: string }): JSX.Element {
  const running = useApi<{ readonly operators: readonly Operator[] }>("/operators", EVERY_MS);
  const ended = useApi<{ readonly operators: readonly Operator[] }>(
    withQuery("/operators/history", { regionId: id, limit: 50 }),
    EXPLAIN_EVERY_MS,
  );
  const own = (running.data?.operators ?? []).filter(({ regionId }) => String(regionId) === id);
  return (
    <Panel title="What was done to it" id="history" size="half" isFlush>
      <Awaited asked={ended}>
        {({ operators }) => (
          <OperatorList
            operators={[...own, ...operators]}
            empty="Nothing yet: it lies where it was placed."
          />
        )}
      </Awaited>
    </Panel>
  );
}
