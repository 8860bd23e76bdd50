import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask } from "../api/client.ts";
import type { Store } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { Problem } from "./frame.tsx";

interface Line {
  readonly field: "addLimit" | "removeLimit";
  readonly label: string;
  readonly limit: number;
  readonly isOwn: boolean;
  readonly count: number;
}

/** How many peers a Store takes in and gives away at a time, to be seen and changed. */
export function StoreLimitsForm(props: {
  readonly store: Store;
  readonly onChange: () => void;
}): JSX.Element {
  const { id, limits } = props.store;
  const [refusal, setRefusal] = useState("");
  const set = async (field: Line["field"], value: number | null): Promise<void> => {
    try {
      await ask(`/stores/${id}/limits`, { method: "PATCH", body: { [field]: value } });
      setRefusal("");
    } catch (error) {
      setRefusal(error instanceof ApiError ? error.message : String(error));
    }
    props.onChange();
  };
  const lines: readonly Line[] = [
    {
      ...{ field: "addLimit", label: "Peers taken in at a time", limit: limits.addLimit },
      ...{ isOwn: limits.isOwnAddLimit, count: limits.addingCount },
    },
    {
      ...{ field: "removeLimit", label: "Peers given away at a time", limit: limits.removeLimit },
      ...{ isOwn: limits.isOwnRemoveLimit, count: limits.removingCount },
    },
  ];
  return (
    <div class="stack">
      {refusal === "" ? null : <Problem message={refusal} />}
      {lines.map((line) => (
        <LimitLine
          key={`${line.field} ${line.limit}`}
          line={line}
          onSet={(value) => void set(line.field, value)}
        />
      ))}
    </div>
  );
}

function LimitLine(props: {
  readonly line: Line;
  readonly onSet: (value: number | null) => void;
}): JSX.Element {
  const { field, label, limit, isOwn, count } = props.line;
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem(field) as HTMLInputElement;
    props.onSet(Number(input.value));
  };
  return (
    <form class="limit" onSubmit={submitted}>
      <label class="label" for={field}>
        {label}
      </label>
      <input
        {...{ id: field, name: field, class: "field", type: "number" }}
        {...{ min: 1, max: 10_000, step: 1, required: true, defaultValue: String(limit) }}
      />
      <button type="submit" class="button" aria-label={`Set: ${label}`}>
        Set
      </button>
      {isOwn ? (
        <button
          type="button"
          class="button"
          onClick={() => props.onSet(null)}
          aria-label={`As all Stores: ${label}`}
        >
          As all Stores
        </button>
      ) : null}
      <span class="soft">
        {count} now or waiting; {isOwn ? "its own limit" : "as all Stores"}
      </span>
    </form>
  );
}
