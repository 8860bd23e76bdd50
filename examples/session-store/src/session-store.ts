import { randomBytes } from "node:crypto";
import { type KeySpace, RdbError, type TypedSpace, jsonCodec, textCodec } from "@flaredb/rdb-client";

/** A session as its user's requests see it. */
export interface Session<Data> {
  /** Unguessable; what the cookie holds. */
  readonly id: string;
  readonly userId: string;
  readonly data: Data;
  /** When it ends unless it is used before, milliseconds since 1970. */
  readonly expiresMs: number;
}

type StoredSession<Data> = Omit<Session<Data>, "id">;

export interface SessionStoreOptions {
  /** A session that is not used for so long ends, in milliseconds. Default 30 minutes. */
  readonly idleMs?: number;
  /** The wall clock. */
  readonly nowMs?: () => number;
}

const ID_BYTES = 24;
/** Requests of one browser that change its session at once are few. */
const ATTEMPTS_MAX_COUNT = 16;
/** Reading moves the end on only when this part of the idle time is over: most requests read and do not write. */
const TOUCH_AFTER_PART = 0.1;

/**
 * Sessions of a web application, for any number of servers. A login on one server is there for the next request on
 * another; a logout is too. Two requests that change a session at once both count: none overwrites the other.
 */
export class SessionStore<Data> {
  readonly #sessions: TypedSpace<string, StoredSession<Data>>;
  readonly #ofUsers: KeySpace;
  readonly #idleMs: number;
  readonly #nowMs: () => number;

  /** @param space where the sessions are kept, such as `db.namespace("sessions/")` */
  constructor(space: KeySpace, { idleMs = 30 * 60_000, nowMs = Date.now }: SessionStoreOptions = {}) {
    this.#sessions = space
      .namespace("by-id/")
      .typed({ key: textCodec, value: jsonCodec<StoredSession<Data>>() });
    this.#ofUsers = space.namespace("by-user/");
    this.#idleMs = idleMs;
    this.#nowMs = nowMs;
  }

  /** Begins a session. */
  async create(userId: string, data: Data): Promise<Session<Data>> {
    const id = randomBytes(ID_BYTES).toString("base64url");
    const session = { userId, data, expiresMs: this.#nowMs() + this.#idleMs };
    // The user's list first: a session that is on it and was never made does no harm, the other way round it would be
    // forgotten by `endAll`.
    await this.#ofUsers.put(userKey(userId, id), "");
    await this.#sessions.put(id, session);
    return { id, ...session };
  }

  /** The session, which then lives on; undefined: there is none, or it ended. */
  async get(id: string): Promise<Session<Data> | undefined> {
    const row = await this.#sessions.get(id);
    if (row === undefined || row.value.expiresMs <= this.#nowMs()) {
      return undefined;
    }
    const expiresMs = this.#nowMs() + this.#idleMs;
    if (expiresMs - row.value.expiresMs < this.#idleMs * TOUCH_AFTER_PART) {
      return { id, ...row.value };
    }
    const touched = { ...row.value, expiresMs };
    // When it was changed meanwhile, whoever did has moved the end on; when it was ended, it stays so.
    const { succeeded } = await this.#sessions.compareAndSwap(id, { version: row.version }, touched);
    return { id, ...(succeeded ? touched : row.value) };
  }

  /**
   * Changes a session's data by a function of what it is now. It may be called more than once: somebody else's change
   * came first then, and it gets that.
   *
   * @returns undefined: there is no such session any more
   * @throws RdbError RDB_SERVER_IS_BUSY when others change it without end
   */
  async update(id: string, change: (data: Data) => Data): Promise<Session<Data> | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX_COUNT; attempt++) {
      const row = await this.#sessions.get(id);
      if (row === undefined || row.value.expiresMs <= this.#nowMs()) {
        return undefined;
      }
      const { userId, data } = row.value;
      const changed = { userId, data: change(data), expiresMs: this.#nowMs() + this.#idleMs };
      if ((await this.#sessions.compareAndSwap(id, { version: row.version }, changed)).succeeded) {
        return { id, ...changed };
      }
    }
    throw new RdbError(
      "RDB_SERVER_IS_BUSY",
      `the session was changed by others ${ATTEMPTS_MAX_COUNT} times in a row`,
    );
  }

  /** Ends a session. From then on no server knows it. */
  async end(id: string): Promise<void> {
    const row = await this.#sessions.get(id);
    if (row !== undefined) {
      await this.#sessions.delete(id);
      await this.#ofUsers.delete(userKey(row.value.userId, id));
    }
  }

  /** Ends all sessions of a user, such as after a changed password. */
  async endAll(userId: string): Promise<void> {
    for await (const { key } of this.#ofUsers.scan({ prefix: userPrefix(userId), keysOnly: true })) {
      const id = new TextDecoder().decode(key).slice(userPrefix(userId).length);
      await this.#sessions.delete(id);
      await this.#ofUsers.delete(key);
    }
  }

  /** Deletes sessions that ended by themselves. Run it now and then, anywhere. @returns how many */
  async sweep(): Promise<number> {
    let sweptCount = 0;
    for await (const { key: id, value, version } of this.#sessions.scan()) {
      if (value.expiresMs > this.#nowMs()) {
        continue;
      }
      // One that is used at this moment has another version, and stays.
      if ((await this.#sessions.compareAndDelete(id, { version })).succeeded) {
        await this.#ofUsers.delete(userKey(value.userId, id));
        sweptCount++;
      }
    }
    return sweptCount;
  }
}

// A user's name may hold any character: encoded, none of them is the slash that ends it.
function userPrefix(userId: string): string {
  return `${encodeURIComponent(userId)}/`;
}

function userKey(userId: string, id: string): string {
  return userPrefix(userId) + id;
}
