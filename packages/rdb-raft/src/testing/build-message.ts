import type { Entry, Message } from "../messages.ts";
import { newMessage, type MessageFields } from "../new-message.ts";

type Plain<Value> = Value extends number ? number : Value;

/** What a test gives of a message; the rest is zero. Ids, terms and indexes are plain numbers. */
export type PlainFields = { readonly [Field in keyof MessageFields]: Plain<MessageFields[Field]> };

export function buildMessage(fields: PlainFields): Message {
  return newMessage(fields as MessageFields);
}

/** The entry of a term and an index; its data, if any, is a text of ASCII. */
export function buildEntry(term: number, index: number, data = ""): Entry {
  return { term, index, type: "Normal", data: bytes(data) } as Entry;
}

/** Entries with consecutive indexes from `first` on, one for each term. */
export function buildLog(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, at) => buildEntry(term, first + at));
}

/** The bytes of an ASCII text. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
