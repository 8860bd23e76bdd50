/** One server-sent event. */
export interface StreamEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

/** Takes a stream of server-sent events apart, however it is cut into pieces. */
export class EventTextParser {
  #rest = "";

  /** The events that are whole with this piece. */
  take(piece: string): StreamEvent[] {
    this.#rest += piece;
    const blocks = this.#rest.split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.flatMap(eventOf);
  }
}

/** None of what carries no data, such as the line that says when to come back. */
function eventOf(block: string): StreamEvent[] {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    fields.set(name, name === "data" && fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const data = fields.get("data");
  return data === undefined
    ? []
    : [{ id: fields.get("id") ?? "", name: fields.get("event") ?? "message", data }];
}
