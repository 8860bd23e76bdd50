import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask } from "../api/client.ts";
import { useOperators } from "../api/cluster.ts";
import type { Operator } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { useApi } from "../api/use-api.ts";
import { Awaited, PageHead, Panel, Problem } from "../parts/frame.tsx";
import { OperatorList } from "../parts/operator-list.tsx";

const HISTORY_EVERY_MS = 4_000;
const HISTORY_COUNT = 100;

/** What the placement driver is changing, step by step, and what it changed. */
export function OperatorsPage(): JSX.Element {
  const running = useOperators();
  const ended = useApi<{ readonly operators: readonly Operator[] }>(
    `/operators/history?limit=${HISTORY_COUNT}`,
    HISTORY_EVERY_MS,
  );
  const [refusal, setRefusal] = useState("");
  const cancel = async ({ id }: Operator): Promise<void> => {
    try {
      await ask(`/operators/${id}`, { method: "DELETE" });
      setRefusal("");
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : String(error));
    }
    running.refresh();
    ended.refresh();
  };
  return (
    <>
      <PageHead
        title="Operators"
        about="An operator is a plan for one Region, in steps that only the Region's own reports end. A Region has one at a time."
      />
      {refusal === "" ? null : <Problem message={refusal} />}
      <Panel title="Running and waiting" id="running" isFlush>
        <Awaited asked={running}>
          {({ operators }) => (
            <OperatorList
              operators={operators}
              empty="Nothing is being changed: every Region lies where it should."
              onCancel={(operator) => void cancel(operator)}
            />
          )}
        </Awaited>
      </Panel>
      <Panel title="Ended, the latest first" id="ended" isFlush>
        <Awaited asked={ended}>
          {({ operators }) => <OperatorList operators={operators} empty="None has ended yet." />}
        </Awaited>
      </Panel>
    </>
  );
}
