import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { withQuery } from "../api/client.ts";
import type { DataPage as Page } from "../api/gen/types.ts";
import { useApi } from "../api/use-api.ts";
import { Awaited, PageHead, Panel, Switch } from "../parts/frame.tsx";
import { DeleteRow, RowEditor } from "../parts/row-editor.tsx";
import { Table } from "../parts/table.tsx";
import { type Address, formatAddress } from "../pure/address.ts";
import { counted, formatBytes, formatCount } from "../pure/format.ts";
import { type ValueForm, bytesOfBase64, shownValue, typedText } from "../pure/value-view.ts";
import { goTo } from "../use-address.ts";

const PAGE_ROWS = 50;
const PREVIEW_LENGTH = 80;

const forms = [
  { value: "auto", text: "Auto" },
  { value: "text", text: "Text" },
  { value: "json", text: "JSON" },
  { value: "hex", text: "Hex" },
] as const;

type Row = Page["rows"][number];

/** The users' rows: a prefix, page by page, and one of them whole. */
export function DataPage({ query }: Address): JSX.Element {
  const { prefix = "", startKeyHex = "", key = "" } = query;
  const asked = useApi<Page>(withQuery("/data", { prefix, startKeyHex, limit: PAGE_ROWS }));
  const [isAdding, setAdding] = useState(false);
  const isWritable = asked.data?.isWritable === true;
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("prefix") as HTMLInputElement;
    goTo(formatAddress(["data"], { prefix: field.value }));
  };
  return (
    <>
      <PageHead
        title="Data"
        about="Rows in the order of their keys, read from the Regions' leaders. Bytes that are no printable ASCII are written \xNN."
      >
        <form class="data-search" onSubmit={submitted} role="search" aria-label="Rows">
          <label class="label" for="prefix">
            Keys that begin with
          </label>
          <input
            id="prefix"
            name="prefix"
            class="field mono"
            defaultValue={prefix}
            placeholder="any"
            spellcheck={false}
          />
          <button type="submit" class="button">
            Show
          </button>
        </form>
      </PageHead>
      {key === "" ? null : (
        <OneRow
          {...{ isWritable, keyHex: key, onChange: asked.refresh }}
          closeAddress={formatAddress(["data"], { prefix, startKeyHex })}
        />
      )}
      {isAdding ? (
        <Panel title="New row" id="new-row">
          <RowEditor
            {...{ row: undefined, value: "", form: "text" }}
            onDone={() => {
              setAdding(false);
              asked.refresh();
            }}
            onCancel={() => setAdding(false)}
          />
        </Panel>
      ) : null}
      <Awaited asked={asked}>
        {(page) => (
          <Panel
            title={titleOf(page)}
            id="rows"
            isFlush
            tools={
              <>
                {page.isWritable && !isAdding ? (
                  <button type="button" class="button" onClick={() => setAdding(true)}>
                    New row
                  </button>
                ) : null}
                {startKeyHex === "" ? null : (
                  <a class="button" href={formatAddress(["data"], { prefix })}>
                    First page
                  </a>
                )}
                {page.nextKeyHex === null ? null : (
                  <a class="button" href={formatAddress(["data"], { prefix, startKeyHex: page.nextKeyHex })}>
                    Next page
                  </a>
                )}
              </>
            }
          >
            <Rows
              page={page}
              addressOf={(row) => formatAddress(["data"], { prefix, startKeyHex, key: row.keyHex })}
            />
          </Panel>
        )}
      </Awaited>
    </>
  );
}

function titleOf({ rows, nextKeyHex }: Page): string {
  return nextKeyHex === null
    ? counted(rows.length, "row")
    : `${counted(rows.length, "row")}, and there are more`;
}

function Rows(props: { readonly page: Page; readonly addressOf: (row: Row) => string }): JSX.Element {
  const { page, addressOf } = props;
  return (
    <Table
      label="Rows"
      rows={page.rows}
      keyOf={({ keyHex }) => keyHex}
      empty={
        page.nextKeyHex === null
          ? "No key begins like that."
          : "No row in this Region: look at the next page."
      }
      columns={[
        {
          name: "Key",
          cell: (row) => <a href={addressOf(row)}>{row.key === "" ? "(empty)" : row.key}</a>,
          isKey: true,
        },
        { name: "Value", cell: ({ valueBase64 }) => <Preview valueBase64={valueBase64} /> },
        { name: "Size", cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
        { name: "Version", cell: ({ version }) => formatCount(version), isNumber: true },
      ]}
    />
  );
}

function Preview({ valueBase64 }: { readonly valueBase64: string }): JSX.Element {
  const { form, text } = shownValue(bytesOfBase64(valueBase64), "auto");
  const line = form === "hex" ? text.slice(8, 55) : text.replaceAll(/\s+/g, " ");
  return (
    <span class="mono soft">{line.length > PREVIEW_LENGTH ? `${line.slice(0, PREVIEW_LENGTH)}…` : line}</span>
  );
}

/** A row whole, in the form that one likes, and changed where that is allowed. */
function OneRow(props: {
  readonly keyHex: string;
  readonly closeAddress: string;
  readonly isWritable: boolean;
  readonly onChange: () => void;
}): JSX.Element {
  const { keyHex, closeAddress, isWritable, onChange } = props;
  const [form, setForm] = useState<ValueForm>("auto");
  const [isEdited, setEdited] = useState(false);
  const asked = useApi<Page>(withQuery("/data", { startKeyHex: keyHex, limit: 1 }));
  const changed = (): void => {
    setEdited(false);
    asked.refresh();
    onChange();
  };
  return (
    <Awaited asked={asked}>
      {({ rows: [row] }) => {
        if (row === undefined || row.keyHex !== keyHex) {
          return <p class="note">The row is no more.</p>;
        }
        const bytes = bytesOfBase64(row.valueBase64);
        const shown = shownValue(bytes, form);
        return (
          <Panel
            title={row.key}
            id="row"
            tools={
              <>
                {isEdited ? null : (
                  <Switch name="form" label="Shown as" value={form} options={forms} onChange={setForm} />
                )}
                {isWritable && !isEdited ? (
                  <button type="button" class="button" onClick={() => setEdited(true)}>
                    Change
                  </button>
                ) : null}
                {isWritable ? <DeleteRow row={row} onDone={changed} /> : null}
                <a href={closeAddress}>Close</a>
              </>
            }
          >
            <p class="soft">
              {formatBytes(row.sizeBytes)}, version {formatCount(row.version)}
            </p>
            {isEdited ? (
              <RowEditor
                {...{ row, form: shown.form, value: typedText(bytes, shown.form) }}
                onDone={changed}
                onCancel={() => setEdited(false)}
              />
            ) : (
              <pre class="value mono" tabIndex={0} aria-label="Value">
                {shown.text}
              </pre>
            )}
          </Panel>
        );
      }}
    </Awaited>
  );
}
