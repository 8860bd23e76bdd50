import fc from "fast-check";
import { expect, test } from "vitest";
import { EventTextParser } from "./event-text.ts";

const TEXT =
  'retry: 1000\n\nid: 1\nevent: operator\ndata: {"id":7}\n\nid: 2\nevent: region-gone\ndata: {"id":\ndata: 3}\n\n';

test("events are the same however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TEXT.length)), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
      const parser = new EventTextParser();
      const events = places.slice(1).flatMap((end, at) => parser.take(TEXT.slice(places[at], end)));
      expect(events).toEqual([
        { id: "1", name: "operator", data: '{"id":7}' },
        { id: "2", name: "region-gone", data: '{"id":\n3}' },
      ]);
    }),
  );
});

test("what is not whole yet waits", () => {
  const parser = new EventTextParser();
  expect(parser.take("data: 1\n")).toEqual([]);
  expect(parser.take("\n")).toEqual([{ id: "", name: "message", data: "1" }]);
});
