const STORAGE_NAME = "flaredb-token";

type Listener = () => void;

/** The token of the admin API, for as long as this tab is open; nothing of it is kept on disk. */
class Session {
  #token = sessionStorage.getItem(STORAGE_NAME) ?? "";
  #isWanted = false;
  readonly #listeners = new Set<Listener>();

  /** Empty: none was given. */
  get token(): string {
    return this.#token;
  }

  /** PD refused what was asked without the right token. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  wantsToken(): void {
    if (!this.#isWanted) {
      this.#isWanted = true;
      this.#tell();
    }
  }

  give(token: string): void {
    this.#token = token;
    this.#isWanted = false;
    sessionStorage.setItem(STORAGE_NAME, token);
    this.#tell();
  }

  forget(): void {
    this.#token = "";
    sessionStorage.removeItem(STORAGE_NAME);
    this.wantsToken();
  }

  /** @returns ends it */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

export const session: Session = new Session();
