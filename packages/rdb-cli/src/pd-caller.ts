import type { DescService } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { RdbError } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import {
  MemberRing,
  RDB_CODE_HEADER,
  type TlsFiles,
  TlsIdentity,
  type UnaryTransport,
  fromConnectError,
  unaryTransport,
} from "@flaredb/rdb-wire";

/** Longest time for one address when there are others to try. */
const ADDRESS_TIMEOUT_MS = 2_000;
/** Members that answer and do not lead are asked again after so long: one of them is about to. */
const ELECTION_PAUSE_MS = 200;

/** One call of a placement driver's method. */
type Call<Service extends DescService, Answer> = (
  client: Client<Service>,
  options: { readonly timeoutMs: number },
) => Promise<Answer>;

/** Whom to ask, and how. Every command's globals are one. */
export interface PdTarget {
  /** HOST:PORT of the members; at least one. */
  readonly pdAddresses: readonly string[];
  /** For all of them together. */
  readonly timeoutMs: number;
  /** undefined: nothing is encrypted. */
  readonly tls?: TlsFiles | undefined;
}

/**
 * Asks the placement driver: each address in turn, and who is said to lead, until one answers.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE when none does within `timeoutMs`; what PD itself refuses, with its code
 */
export function callPd<Answer>(target: PdTarget, call: Call<typeof PdService, Answer>): Promise<Answer> {
  return callService(PdService, target, call);
}

/** The same for what people ask of it. */
export function callPdAdmin<Answer>(
  target: PdTarget,
  call: Call<typeof PdAdminService, Answer>,
): Promise<Answer> {
  return callService(PdAdminService, target, call);
}

async function callService<Service extends DescService, Answer>(
  service: Service,
  { pdAddresses: addresses, timeoutMs, tls }: PdTarget,
  call: Call<Service, Answer>,
): Promise<Answer> {
  const identity = tls === undefined ? undefined : TlsIdentity.open(tls);
  const connect = (address: string): UnaryTransport => unaryTransport(address, {}, identity);
  const failures = new Map<string, string>();
  const deadlineMs = performance.now() + timeoutMs;
  const members = new MemberRing(addresses);
  for (;;) {
    let isElecting = false;
    for (let attempt = 0; members.mayAsk(attempt); attempt++) {
      const address = members.current;
      const remainingMs = Math.ceil(deadlineMs - performance.now());
      if (remainingMs <= 0) {
        break;
      }
      const callTimeoutMs = members.size === 1 ? remainingMs : Math.min(remainingMs, ADDRESS_TIMEOUT_MS);
      const outcome = await callOnce(service, connect(address), callTimeoutMs, call);
      if (outcome.ok) {
        return outcome.answer;
      }
      isElecting ||= outcome.error.code === "RDB_NOT_LEADER";
      failures.set(address, `${address} (${describe(outcome.error)})`);
      members.next(outcome.error);
    }
    if (!isElecting || performance.now() + ELECTION_PAUSE_MS >= deadlineMs) {
      throw new RdbError(
        "RDB_PD_UNAVAILABLE",
        `no placement driver answers at ${[...failures.values()].join(", ")}`,
        { details: { addresses } },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, ELECTION_PAUSE_MS));
  }
}

type Outcome<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  /** Another member may answer. */
  | { readonly ok: false; readonly error: RdbError };

/** @throws RdbError what PD itself refuses */
async function callOnce<Service extends DescService, Answer>(
  service: Service,
  connection: UnaryTransport,
  timeoutMs: number,
  call: Call<Service, Answer>,
): Promise<Outcome<Answer>> {
  try {
    return { ok: true, answer: await call(createClient(service, connection.transport), { timeoutMs }) };
  } catch (caught) {
    const error = fromConnectError(caught, "RDB_PD_UNAVAILABLE");
    if (isAnswer(caught) && error.code !== "RDB_NOT_LEADER") {
      throw error;
    }
    return { ok: false, error };
  } finally {
    connection.close();
  }
}

/** Whether PD itself said it: everything else comes from a connection that failed, or from some other program. */
function isAnswer(caught: unknown): boolean {
  return ConnectError.from(caught).metadata.has(RDB_CODE_HEADER);
}

function describe(error: RdbError): string {
  return error.code === "RDB_DEADLINE_EXCEEDED" ? "no answer in time" : error.message;
}
