import { useEffect } from "preact/hooks";
import type { PageEntry } from "./pages.ts";
import { formatAddress } from "./pure/address.ts";
import { goTo } from "./use-address.ts";

/** The field to which `/` leads. */
export const JUMP_FIELD_ID = "jump";

/** `g` and a page's key must follow each other within this. */
const SEQUENCE_MAX_MS = 1_200;

interface KeyboardOptions {
  readonly pages: readonly PageEntry[];
  readonly help: () => void;
  readonly theme: () => void;
}

/** Keys that work wherever nothing is being typed: `g` and a page's key, `/`, `t` and `?`. */
export function useKeyboard({ pages, help, theme }: KeyboardOptions): void {
  useEffect(() => {
    let wentMs = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
        return;
      }
      const page =
        event.timeStamp - wentMs < SEQUENCE_MAX_MS ? pages.find(({ key }) => key === event.key) : undefined;
      wentMs = Number.NEGATIVE_INFINITY;
      if (page !== undefined) {
        goTo(formatAddress(page.path === "" ? [] : [page.path]));
      } else if (event.key === "g") {
        wentMs = event.timeStamp;
      } else if (event.key === "/") {
        event.preventDefault();
        document.getElementById(JUMP_FIELD_ID)?.focus();
      } else if (event.key === "?") {
        help();
      } else if (event.key === "t") {
        theme();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [pages, help, theme]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=radio]), textarea, select, dialog *"))
  );
}
