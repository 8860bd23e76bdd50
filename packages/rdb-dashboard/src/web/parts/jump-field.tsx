import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, withQuery } from "../api/client.ts";
import type { Region } from "../api/gen/types.ts";
import { ApiError } from "../api/problem.ts";
import { formatAddress } from "../pure/address.ts";
import { parseJump } from "../pure/jump.ts";
import { goTo } from "../use-address.ts";
import { JUMP_FIELD_ID } from "../use-keyboard.ts";

/** Leads to the page of a Region, a Store, or the Region of a key. */
export function JumpField(): JSX.Element {
  const [refusal, setRefusal] = useState("");
  const submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = form.elements.namedItem(JUMP_FIELD_ID) as HTMLInputElement;
    setRefusal(await jump(field.value));
    field.select();
  };
  return (
    <form role="search" onSubmit={(event) => void submitted(event)} class="jump">
      <label class="unseen" for={JUMP_FIELD_ID}>
        Jump to a Region, a Store or a key
      </label>
      <input
        id={JUMP_FIELD_ID}
        class="field"
        type="search"
        placeholder="Region, store 2 or key   /"
        autocomplete="off"
        spellcheck={false}
        aria-describedby="jump-refusal"
        onInput={() => setRefusal("")}
      />
      <span id="jump-refusal" role="status" class={refusal === "" ? "unseen" : "jump-refusal"}>
        {refusal}
      </span>
    </form>
  );
}

/** @returns why it leads nowhere; empty when it did */
async function jump(text: string): Promise<string> {
  const wanted = parseJump(text);
  switch (wanted?.kind) {
    case "region":
      goTo(formatAddress(["regions", wanted.id]));
      return "";
    case "store":
      goTo(formatAddress(["stores"], { id: wanted.id }));
      return "";
    case "key":
      try {
        const region = await ask<Region>(withQuery("/regions/by-key", { key: wanted.key }));
        goTo(formatAddress(["regions", region.id]));
        return "";
      } catch (error) {
        return error instanceof ApiError ? error.message : String(error);
      }
    case undefined:
      return "";
  }
}
