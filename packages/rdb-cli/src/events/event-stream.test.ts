import { expect, test } from "vitest";
import { type ServerEvent, parseEvents } from "./event-stream.ts";

async function* cut(text: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    yield await Promise.resolve(bytes.subarray(at, at + sizeBytes));
  }
}

test("events are the same however the stream is cut", async () => {
  const text =
    'retry: 1000\n\nid: 1\nevent: store\ndata: {"id":1,"state":"üp"}\n\nid: 2\nevent: region-gone\ndata: {"id":7}\n\nid: 3';
  for (let sizeBytes = 1; sizeBytes < text.length; sizeBytes++) {
    const events: ServerEvent[] = [];
    for await (const event of parseEvents(cut(text, sizeBytes))) {
      events.push(event);
    }
    expect(events).toEqual([
      { name: "store", data: { id: 1, state: "üp" } },
      { name: "region-gone", data: { id: 7 } },
    ]);
  }
});

test("an event without end is not kept for ever", async () => {
  const reading = (async () => {
    for await (const _event of parseEvents(cut("data: ".padEnd(1_100_000, "x"), 65_536))) {
      // Nothing comes.
    }
  })();
  await expect(reading).rejects.toMatchObject({ message: "an event has more than 1048576 bytes" });
});
