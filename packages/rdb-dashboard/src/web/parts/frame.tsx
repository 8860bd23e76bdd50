import type { ComponentChildren, JSX } from "preact";
import type { Asked } from "../api/use-api.ts";

/** How something does, as a colour; always beside words that say the same. */
export type Tone = "good" | "warn" | "bad" | "accent" | "plain";

export function Badge({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A titled part of a page. */
export function Panel(props: {
  readonly title: string;
  readonly id: string;
  /** Beside the title, at the right. */
  readonly tools?: ComponentChildren;
  /** Its content reaches to the edges, as tables do. */
  readonly isFlush?: boolean;
  readonly size?: "half" | "third" | "two-thirds";
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={`panel ${props.size ?? ""}`} aria-labelledby={props.id}>
      <div class="panel-head">
        <h2 id={props.id}>{props.title}</h2>
        <span class="spring" />
        {props.tools}
      </div>
      <div class={props.isFlush === true ? "panel-body flush" : "panel-body"}>{props.children}</div>
    </section>
  );
}

/** A page's title, what it is about, and its tools. */
export function PageHead(props: {
  readonly title: ComponentChildren;
  readonly about?: ComponentChildren;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <header class="page-head">
      <h1>{props.title}</h1>
      <span class="spring" />
      {props.children}
      {props.about === undefined ? null : <p class="about">{props.about}</p>}
    </header>
  );
}

/** A few figures side by side. */
export function Figures({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <dl class="figures">{children}</dl>;
}

export function Figure(props: {
  readonly name: string;
  readonly more?: ComponentChildren;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="figure">
      <dt>{props.name}</dt>
      <dd>
        {props.children}
        {props.more === undefined ? null : <div class="more">{props.more}</div>}
      </dd>
    </div>
  );
}

/** Something that went wrong, in the place where it was to be shown. */
export function Problem({ message }: { readonly message: string }): JSX.Element {
  return (
    <div class="note bad" role="alert">
      <span class="dot tone-bad" />
      <p>{message}</p>
    </div>
  );
}

/** What was asked for once it is there; until then that it is being asked for, or why it does not come. */
export function Awaited<Answer>(props: {
  readonly asked: Asked<Answer>;
  readonly children: (answer: Answer) => ComponentChildren;
}): JSX.Element {
  const { data, error } = props.asked;
  return (
    <>
      {error === undefined ? null : <Problem message={error.message} />}
      {data === undefined ? (
        error === undefined ? (
          <p class="empty" role="status">
            Asking the placement driver…
          </p>
        ) : null
      ) : (
        props.children(data)
      )}
    </>
  );
}

/** A share of a whole as a bar; the figure stands beside it. */
export function Meter({ share, tone }: { readonly share: number; readonly tone?: Tone }): JSX.Element {
  const percent = Math.max(0, Math.min(100, share * 100));
  return (
    <span class={`meter ${tone ?? ""}`} aria-hidden="true">
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}

/** One of a few choices. */
export function Switch<Value extends string>(props: {
  readonly name: string;
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly text: string }[];
  readonly onChange: (value: Value) => void;
}): JSX.Element {
  return (
    <div class="switch" role="radiogroup" aria-label={props.label}>
      {props.options.map(({ value, text }) => (
        <label key={value}>
          <input
            type="radio"
            name={props.name}
            value={value}
            checked={value === props.value}
            onChange={() => props.onChange(value)}
          />
          {text}
        </label>
      ))}
    </div>
  );
}
