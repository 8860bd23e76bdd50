import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { session } from "../api/session.ts";
import { Mark } from "./icons.tsx";

/** Asks for the token where PD wants one. */
export function Login(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token !== "") {
      session.give(token);
    }
  };
  return (
    <main class="login">
      <form class="panel" onSubmit={submitted}>
        <div class="brand">
          <Mark />
          FlareDB
        </div>
        <h1>This placement driver wants a token</h1>
        <p class="soft">
          It is the first line of the file that was given to it as{" "}
          <code class="mono">--admin-token-file</code>. It is kept until this tab is closed, and sent to this
          placement driver alone.
        </p>
        {session.token === "" ? null : (
          <p class="tone-bad" role="alert">
            The token that you gave is not the right one.
          </p>
        )}
        <label for="token">Token</label>
        <input id="token" ref={field} class="field" type="password" autocomplete="current-password" />
        <button type="submit" class="button primary">
          Continue
        </button>
      </form>
    </main>
  );
}
