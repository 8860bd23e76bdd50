import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/**
 * What connections of a unary transport failed of. connect knows nothing of TLS: to it a server that is not trusted is
 * a fault of the program, and one that turned us away has cancelled the call.
 */
export class TlsFailures {
  readonly #address: string;
  #last: Error | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** A connection begins. */
  begin(): void {
    this.#last = undefined;
  }

  /** It failed. */
  add(error: Error): void {
    this.#last = error;
  }

  /** Says of calls that failed with their connection that the server could not be reached, and why. */
  readonly interceptor: Interceptor = (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      throw request.signal.aborted ? error : this.#explained(ConnectError.from(error));
    }
  };

  #explained(error: ConnectError): ConnectError {
    if (this.#last !== undefined) {
      return this.#unavailable(`connection failed: ${this.#last.message}`, error);
    }
    // Nobody here cancelled it.
    return error.code === Code.Canceled
      ? this.#unavailable(
          "closed the connection: does it demand a certificate, or not trust the one shown (--tls-cert)?",
          error,
        )
      : error;
  }

  #unavailable(what: string, cause: ConnectError): ConnectError {
    return new ConnectError(`${this.#address} ${what}`, Code.Unavailable, undefined, undefined, cause);
  }
}
