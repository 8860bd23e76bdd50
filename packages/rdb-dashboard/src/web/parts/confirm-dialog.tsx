import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Asks before something is done for good. The way out has the focus. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { title, action, onConfirm, onCancel, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="dialog" ref={dialog} onClose={onCancel} aria-labelledby="confirm-title">
      <div class="stack">
        <h2 id="confirm-title">{title}</h2>
        <p>{children}</p>
        <div class="choices">
          <button type="button" class="button" onClick={onCancel} autofocus>
            Cancel
          </button>
          <button type="button" class="button danger" onClick={onConfirm}>
            {action}
          </button>
        </div>
      </div>
    </dialog>
  );
}
