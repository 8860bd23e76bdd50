import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, withQuery } from "../api/client.ts";
import type { HeatMap, Region } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { useApi } from "../api/use-api.ts";
import { colourAt, rampOf } from "../heat/colour.ts";
import { HeatCanvas } from "../heat/heat-canvas.tsx";
import { type Cell, bucketCount, hottest, partOf } from "../heat/layout.ts";
import { Awaited, PageHead, Panel, Problem, Switch } from "../parts/frame.tsx";
import { type Address, formatAddress } from "../pure/address.ts";
import { formatBytes, formatRate, formatTime } from "../pure/format.ts";
import { useTheme } from "../theme.ts";
import { goTo } from "../use-address.ts";

const EVERY_MS = 5_000;
const BUCKETS = 200;

const kinds = [
  { value: "writtenKeys", text: "Keys written" },
  { value: "writtenBytes", text: "Bytes written" },
  { value: "readKeys", text: "Keys read" },
  { value: "readBytes", text: "Bytes read" },
] as const;

type Kind = (typeof kinds)[number]["value"];

const spans = [
  { value: "", text: "12 h" },
  { value: "3600", text: "1 h" },
  { value: "900", text: "15 min" },
] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** What is asked for moves on in steps, so that an answer serves for a while. */
const STEP_MS = 5 * SECOND_MS;

/** What the key space was asked for over time, from the whole of it down to a Region's keys. */
export function HeatPage({ query }: Address): JSX.Element {
  const kind = kinds.find(({ value }) => value === query["kind"])?.value ?? "writtenKeys";
  const { from = "", to = "", startKeyHex = "", endKeyHex = "", last = "" } = query;
  const lately =
    last === "" ? undefined : Math.floor((Date.now() - Number(last) * SECOND_MS) / STEP_MS) * STEP_MS;
  const path = withQuery("/heatmap", {
    kind,
    from: from || lately,
    to,
    startKeyHex,
    endKeyHex,
    buckets: BUCKETS,
  });
  const asked = useApi<HeatMap>(path, EVERY_MS);
  const isZoomed = [from, to, startKeyHex, endKeyHex].some((each) => each !== "");
  const go = (change: Readonly<Record<string, string | number>>): void =>
    goTo(formatAddress(["heat"], { kind, from, to, startKeyHex, endKeyHex, last, ...change }));
  const whole = { from: "", to: "", startKeyHex: "", endKeyHex: "" };
  return (
    <>
      <PageHead
        title="Key space over time"
        about="Keys run from top to bottom, time from left to right: a bright row is a hot range, a bright diagonal is a sequence that is written to its end, a bright column is a burst."
      >
        {isZoomed ? (
          <button type="button" class="button" onClick={() => go(whole)}>
            Whole key space
          </button>
        ) : null}
        <Switch
          name="kind"
          label="What is shown"
          value={kind}
          options={kinds}
          onChange={(value) => go({ kind: value })}
        />
        <Switch
          name="span"
          label="How far back"
          value={spans.find(({ value }) => value === last)?.value ?? ""}
          options={spans}
          onChange={(value) => go({ ...whole, last: value })}
        />
      </PageHead>
      <Panel title={titleOf(kind)} id="map" tools={<Scale map={asked.data} kind={kind} />}>
        <Awaited asked={asked}>
          {(map) =>
            map.columns.length === 0 ? (
              <p class="empty">Nothing is known yet: the first minute is being measured.</p>
            ) : (
              <Map map={map} kind={kind} onZoom={go} onZoomOut={() => go(whole)} />
            )
          }
        </Awaited>
      </Panel>
    </>
  );
}

function Map(props: {
  readonly map: HeatMap;
  readonly kind: Kind;
  readonly onZoom: (part: Readonly<Record<string, string | number>>) => void;
  readonly onZoomOut: () => void;
}): JSX.Element {
  const { map, kind, onZoom, onZoomOut } = props;
  const [chosen, setChosen] = useState<Cell>();
  const [refusal, setRefusal] = useState("");
  const known = chosen !== undefined && isIn(map, chosen) ? chosen : undefined;
  const zoom = (a: Cell, b: Cell): void => {
    const part = partOf(map, a, b);
    if (part !== undefined) {
      // The newest column goes on: its end is left open.
      const isNewest = Math.max(a.column, b.column) === map.columns.length - 1;
      setChosen(undefined);
      onZoom({ ...part, to: isNewest ? "" : part.to });
    }
  };
  const openRegion = async (cell: Cell): Promise<void> => {
    try {
      const region = await ask<Region>(
        withQuery("/regions/by-key", { keyHex: map.edges[cell.bucket]?.keyHex || "00" }),
      );
      goTo(formatAddress(["regions", region.id]));
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <>
      <HeatCanvas
        map={map}
        chosen={known}
        describe={(cell) => describe(map, kind, cell)}
        formatTime={(ms) => formatTime(ms).slice(0, isFine(map) ? 8 : 5)}
        onChoose={setChosen}
        onZoom={zoom}
        onZoomOut={onZoomOut}
      />
      {refusal === "" ? null : <Problem message={refusal} />}
      {known === undefined ? null : (
        <div class="heat-tools">
          <span>
            Chosen: <span class="mono">{keysOf(map, known)}</span>
          </span>
          <button type="button" class="button" onClick={() => void openRegion(known)}>
            Open its Region
          </button>
          <button type="button" class="button" onClick={() => zoom(known, known)}>
            Zoom in
          </button>
          <a class="button" href={formatAddress(["data"], { startKeyHex: map.edges[known.bucket]?.keyHex })}>
            Look at its rows
          </a>
        </div>
      )}
    </>
  );
}

/** From nothing to the most, with what that is. */
function Scale({ map, kind }: { readonly map: HeatMap | undefined; readonly kind: Kind }): JSX.Element {
  const { isDark } = useTheme();
  const ramp = rampOf(isDark);
  const stops = Array.from({ length: 24 }, (_, at) => colourAt(ramp, at / 23).join(" "));
  return (
    <span class="heat-scale">
      <span>0</span>
      <span class="heat-ramp" aria-hidden="true">
        {stops.map((stop) => (
          <i key={stop} style={{ background: `rgb(${stop})` }} />
        ))}
      </span>
      <span>{formatHeat(kind, map === undefined ? 0 : hottest(map))}</span>
    </span>
  );
}

function describe(map: HeatMap, kind: Kind, cell: Cell): string {
  const column = map.columns[cell.column];
  const value = map.values[cell.column]?.[cell.bucket] ?? 0;
  const time = column === undefined ? "" : `${formatTime(column.startMs)} to ${formatTime(column.endMs)}`;
  return `${formatHeat(kind, value)} · ${keysOf(map, cell)} · ${time}`;
}

function keysOf({ edges }: HeatMap, { bucket }: Cell): string {
  const start = edges[bucket]?.key ?? "";
  const end = edges[bucket + 1]?.key ?? "";
  return `${start === "" ? "−∞" : start} … ${end === "" ? "+∞" : end}`;
}

function formatHeat(kind: Kind, perSecond: number): string {
  return kind.endsWith("Bytes") ? `${formatBytes(perSecond)}/s` : formatRate(perSecond);
}

function titleOf(kind: Kind): string {
  return `${kinds.find(({ value }) => value === kind)?.text ?? ""} a second`;
}

/** Whether columns are shorter than a minute. */
function isFine({ columns }: HeatMap): boolean {
  return columns.some(({ startMs, endMs }) => endMs - startMs < MINUTE_MS);
}

function isIn(map: HeatMap, { column, bucket }: Cell): boolean {
  return column < map.columns.length && bucket < bucketCount(map);
}
