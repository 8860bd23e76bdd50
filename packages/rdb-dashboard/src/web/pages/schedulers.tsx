import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask } from "../api/client.ts";
import type { Scheduler } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { useApi } from "../api/use-api.ts";
import { Awaited, Badge, PageHead, Panel, Problem } from "../parts/frame.tsx";
import { formatCount, formatSpan } from "../pure/format.ts";

const EVERY_MS = 3_000;

/** Who plans changes, what each did, and why it does nothing just now; most can be paused. */
export function SchedulersPage(): JSX.Element {
  const asked = useApi<{ readonly schedulers: readonly Scheduler[] }>("/schedulers", EVERY_MS);
  const [refusal, setRefusal] = useState("");
  const change = async ({ name, isPaused }: Scheduler): Promise<void> => {
    try {
      const path = `/schedulers/${encodeURIComponent(name)}/${isPaused ? "resume" : "pause"}`;
      await ask(path, { method: "POST", ...(isPaused ? {} : { body: {} }) });
      setRefusal("");
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : String(error));
    }
    asked.refresh();
  };
  return (
    <>
      <PageHead
        title="Schedulers"
        about="Schedulers look at the whole cluster and even it out; checkers look at one Region after the other and repair it. Each says what it last found."
      />
      {refusal === "" ? null : <Problem message={refusal} />}
      <Awaited asked={asked}>
        {({ schedulers }) => (
          <div class="grid">
            {[
              { title: "Schedulers", id: "schedulers", isChecker: false },
              { title: "Checkers", id: "checkers", isChecker: true },
            ].map(({ title, id, isChecker }) => (
              <Panel key={id} title={title} id={id} size="half" isFlush>
                <ul class="operators">
                  {schedulers
                    .filter((each) => each.isChecker === isChecker)
                    .map((each) => (
                      <SchedulerRow key={each.name} scheduler={each} onChange={() => void change(each)} />
                    ))}
                </ul>
              </Panel>
            ))}
          </div>
        )}
      </Awaited>
    </>
  );
}

function SchedulerRow(props: { readonly scheduler: Scheduler; readonly onChange: () => void }): JSX.Element {
  const { name, isPaused, pausedUntilMs, runningCount, doneCount, lastWord } = props.scheduler;
  return (
    <li class="operator">
      <div class="operator-head">
        <strong>{name}</strong>
        {isPaused ? (
          <Badge tone="warn">
            paused{pausedUntilMs === 0 ? "" : ` for ${formatSpan(pausedUntilMs - Date.now())} more`}
          </Badge>
        ) : runningCount > 0 ? (
          <Badge tone="accent">{runningCount} running</Badge>
        ) : null}
        <span class="spring" />
        <span class="soft">{formatCount(doneCount)} done</span>
        <button
          type="button"
          class="button"
          onClick={props.onChange}
          aria-label={`${isPaused ? "Resume" : "Pause"} ${name}`}
        >
          {isPaused ? "Resume" : "Pause"}
        </button>
      </div>
      <p class="soft">{lastWord === "" ? "It has not been asked yet." : lastWord}</p>
    </li>
  );
}
