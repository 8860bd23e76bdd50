import { formatHardState, formatSnapshot, formatSoftState } from "./describe.ts";
import { describeEntries, describeMessage } from "./describe-message.ts";
import type { ReadState, Ready } from "./ready.ts";

/** A Ready on several lines, its parts in the order in which a driver meets them; `<empty Ready>` when there are none. */
export function describeReady(ready: Ready): string {
  let text = "";
  if (ready.softState !== undefined) {
    text += `${formatSoftState(ready.softState)}\n`;
  }
  if (ready.hardState !== undefined) {
    text += `HardState ${formatHardState(ready.hardState)}\n`;
  }
  if (ready.readStates.length > 0) {
    text += `ReadStates [${ready.readStates.map(describeReadState).join(" ")}]\n`;
  }
  if (ready.entries.length > 0) {
    text += `Entries:\n${describeEntries(ready.entries)}`;
  }
  if (ready.snapshot !== undefined && ready.snapshot.metadata.index !== 0) {
    text += `Snapshot ${formatSnapshot(ready.snapshot)}\n`;
  }
  if (ready.committedEntries.length > 0) {
    text += `CommittedEntries:\n${describeEntries(ready.committedEntries)}`;
  }
  if (ready.messages.length > 0) {
    text += `Messages:\n${ready.messages.map((message) => `${describeMessage(message)}\n`).join("")}`;
  }
  return text === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

function describeReadState(state: ReadState): string {
  return `{${state.index} [${state.requestContext.join(" ")}]}`;
}
