/** What arrives on a stream, for whoever reads it by `for await`. Bounded by the stream's window. */
export class ByteQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #taken: (sizeBytes: number) => void;
  readonly #abandoned: (error: Error) => void;
  #end: { readonly error: Error | undefined } | undefined;
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;

  /**
   * @param taken told of each chunk that was read
   * @param abandoned told when the reader gives up
   */
  constructor(taken: (sizeBytes: number) => void, abandoned: (error: Error) => void) {
    this.#taken = taken;
    this.#abandoned = abandoned;
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) {
      return;
    }
    this.#chunks.push(chunk);
    this.#serve();
  }

  /** Nothing more comes; what was pushed is still read, unless there is an error. */
  end(error?: Error): void {
    if (this.#end === undefined) {
      this.#end = { error };
      this.#serve();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const reader = Promise.withResolvers<IteratorResult<Uint8Array>>();
    this.#reader = reader;
    this.#serve();
    return reader.promise;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#abandoned(new Error("the reader has read enough"));
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(reason: unknown): Promise<IteratorResult<Uint8Array>> {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    this.#abandoned(error);
    return Promise.reject(error);
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) {
      return;
    }
    const error = this.#end?.error;
    if (error !== undefined) {
      this.#reader = undefined;
      reader.reject(error);
      return;
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#reader = undefined;
      this.#taken(chunk.length);
      reader.resolve({ done: false, value: chunk });
    } else if (this.#end !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: true, value: undefined });
    }
  }
}
