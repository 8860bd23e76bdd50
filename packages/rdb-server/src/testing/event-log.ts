/** What happened, for tests that wait for it. */
export class EventLog<Event> {
  readonly events: Event[] = [];
  readonly #waiting = new Set<() => void>();

  add(event: Event): void {
    this.events.push(event);
    for (const look of this.#waiting) {
      look();
    }
  }

  /** Resolves once `condition` holds of everything that happened; looked at now and at each event. */
  until(condition: (events: readonly Event[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition(this.events)) {
          this.#waiting.delete(look);
          resolve();
        }
      };
      this.#waiting.add(look);
      look();
    });
  }
}
