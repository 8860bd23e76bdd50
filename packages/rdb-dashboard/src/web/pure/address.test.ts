import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "./address.ts";

test("an address survives being written and read", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 })),
      fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string({ minLength: 1 }), { noNullPrototype: true }),
      (parts, query) => {
        expect(parseAddress(formatAddress(parts, query))).toEqual({ parts, query });
      },
    ),
  );
});

test("nothing is the overview, and what is badly encoded is taken as it stands", () => {
  expect(parseAddress("")).toEqual({ parts: [], query: {} });
  expect(parseAddress("#/regions/%zz")).toEqual({ parts: ["regions", "%zz"], query: {} });
});
