import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { pages } from "../pages.ts";

/** What keys do. */
export function HelpDialog({
  isOpen,
  onClose,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) {
      dialog.current?.showModal();
    }
  }, [isOpen]);
  return (
    <dialog class="dialog" ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <div class="stack">
        <h2 id="keys-title">Keys</h2>
        <dl class="keys">
          {pages.map(({ key, title }) => (
            <>
              <dt key={key}>
                <kbd>g</kbd> <kbd>{key}</kbd>
              </dt>
              <dd>{title}</dd>
            </>
          ))}
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Jump to a Region, a Store or a key</dd>
          <dt>
            <kbd>t</kbd>
          </dt>
          <dd>Theme: as the system, light, dark</dd>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>This list</dd>
        </dl>
        <form method="dialog">
          <button type="submit" class="button">
            Close
          </button>
        </form>
      </div>
    </dialog>
  );
}
