import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type StreamState, watchEvents } from "../api/event-stream.ts";
import { Badge, PageHead, Panel, Switch, type Tone } from "../parts/frame.tsx";
import { type EventLine, eventLine } from "../pure/event-line.ts";
import { counted, formatTime } from "../pure/format.ts";

/** Events that are shown; older ones go. */
const KEPT_COUNT = 300;

const filters = [
  { value: "all", text: "All" },
  { value: "operator", text: "Operators" },
  { value: "region", text: "Regions" },
  { value: "store", text: "Stores" },
] as const;

type Filter = (typeof filters)[number]["value"];

interface Seen extends EventLine {
  readonly number: number;
  readonly atMs: number;
}

const stateWords: Readonly<Record<StreamState, { readonly text: string; readonly tone: Tone }>> = {
  connecting: { text: "connecting", tone: "plain" },
  live: { text: "live", tone: "good" },
  broken: { text: "broken, tries again", tone: "bad" },
};

/** What happens, as it happens. */
export function EventsPage(): JSX.Element {
  const [state, setState] = useState<StreamState>("connecting");
  const [seen, setSeen] = useState<readonly Seen[]>([]);
  const [filter, setFilter] = useState<Filter>("all");
  useEffect(() => {
    let number = 0;
    return watchEvents((event) => {
      const line = eventLine(event);
      if (line !== undefined) {
        number += 1;
        const one: Seen = { ...line, number, atMs: Date.now() };
        setSeen((before) => [one, ...before].slice(0, KEPT_COUNT));
      }
    }, setState);
  }, []);
  const shown = seen.filter(({ kind }) => filter === "all" || kind === filter || kind === "end");
  const { text, tone } = stateWords[state];
  return (
    <>
      <PageHead
        title="Events"
        about="What changes from the moment this page is opened: operators that begin and end, Regions that change, Stores that come and go."
      >
        <Badge tone={tone}>{text}</Badge>
        <Switch name="filter" label="Which events" value={filter} options={filters} onChange={setFilter} />
        <button type="button" class="button" onClick={() => setSeen([])}>
          Clear
        </button>
      </PageHead>
      <Panel title={counted(shown.length, "event")} id="events" isFlush>
        {shown.length === 0 ? (
          <p class="empty">Nothing has happened yet. A quiet cluster is a good one.</p>
        ) : (
          <ol class="events" aria-label="Events, the latest first" tabIndex={0}>
            {shown.map(({ number, kind, atMs, text: words, tone: colour, address }) => (
              <li key={number}>
                <time class="mono soft" dateTime={new Date(atMs).toISOString()}>
                  {formatTime(atMs)}
                </time>
                <Badge tone={colour}>{kind}</Badge>
                {address === undefined ? <span>{words}</span> : <a href={address}>{words}</a>}
              </li>
            ))}
          </ol>
        )}
      </Panel>
    </>
  );
}
