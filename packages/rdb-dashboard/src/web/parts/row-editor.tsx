import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { withQuery, ask } from "../api/client.ts";
import type { RowChange } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { type TypedForm, typedValue } from "../pure/value-view.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Problem, Switch } from "./frame.tsx";

const forms = [
  { value: "text", text: "Text" },
  { value: "json", text: "JSON" },
  { value: "hex", text: "Hex" },
] as const;

/** A row that is there. */
interface Row {
  readonly key: string;
  readonly keyHex: string;
  readonly version: number;
}

/** Runs a change and tells what became of it: empty when all went well. */
async function carryOut(change: () => Promise<RowChange>): Promise<string> {
  try {
    const { succeeded, version } = await change();
    return succeeded
      ? ""
      : version === 0
        ? "There is no such row any more."
        : `Somebody was faster: the row has version ${version} now. Look at it again.`;
  } catch (error) {
    return error instanceof ApiError ? error.message : String(error);
  }
}

/** Puts a value: a new row, or another value of one that is there, if it is still as it was seen. */
export function RowEditor(props: {
  /** Undefined: a new one, whose key is typed. */
  readonly row: Row | undefined;
  readonly value: string;
  readonly form: TypedForm;
  readonly onDone: (keyHex: string | undefined) => void;
  readonly onCancel: () => void;
}): JSX.Element {
  const { row, onDone, onCancel } = props;
  const [key, setKey] = useState("");
  const [text, setText] = useState(props.value);
  const [form, setForm] = useState<TypedForm>(props.form);
  const [refusal, setRefusal] = useState("");
  const typed = typedValue(text, form);
  const submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if ("problem" in typed) {
      return;
    }
    const whose =
      row === undefined ? { key, expectVersion: 0 } : { keyHex: row.keyHex, expectVersion: row.version };
    const said = await carryOut(() =>
      ask<RowChange>("/data", { method: "PUT", body: { ...whose, valueHex: typed.hex } }),
    );
    setRefusal(said);
    if (said === "") {
      onDone(row?.keyHex);
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void submitted(event)} aria-label="Row">
      {refusal === "" ? null : <Problem message={refusal} />}
      {row === undefined ? (
        <>
          <label class="label" for="row-key">
            Key (other bytes as \xNN)
          </label>
          <input
            {...{ id: "row-key", class: "field mono", required: true, spellcheck: false, value: key }}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </>
      ) : null}
      <Switch name="typed-form" label="Typed as" value={form} options={forms} onChange={setForm} />
      <label class="label" for="row-value">
        Value
      </label>
      <textarea
        {...{ id: "row-value", class: "field area mono", rows: 8, spellcheck: false, value: text }}
        aria-invalid={"problem" in typed}
        aria-describedby="row-problem"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <p id="row-problem" class="tone-bad" role="status">
        {"problem" in typed ? typed.problem : ""}
      </p>
      <div class="choices">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="button primary" disabled={"problem" in typed}>
          Put
        </button>
      </div>
    </form>
  );
}

/** Deletes a row, if it is still as it was seen; asks before. */
export function DeleteRow(props: { readonly row: Row; readonly onDone: () => void }): JSX.Element {
  const { row, onDone } = props;
  const { key, keyHex, version } = row;
  const [isAsked, setAsked] = useState(false);
  const [refusal, setRefusal] = useState("");
  const confirmed = async (): Promise<void> => {
    setAsked(false);
    const path = withQuery("/data", { keyHex, expectVersion: version });
    const said = await carryOut(() => ask<RowChange>(path, { method: "DELETE" }));
    setRefusal(said);
    if (said === "") {
      onDone();
    }
  };
  return (
    <>
      {refusal === "" ? null : <Problem message={refusal} />}
      <button type="button" class="button danger" onClick={() => setAsked(true)}>
        Delete
      </button>
      {isAsked ? (
        <ConfirmDialog
          {...{ title: "Delete this row?", action: "Delete it" }}
          onConfirm={() => void confirmed()}
          onCancel={() => setAsked(false)}
        >
          The row <span class="mono">{key}</span> is gone for everybody at once, and cannot be brought back
          from here.
        </ConfirmDialog>
      ) : null}
    </>
  );
}
