import type { DescService } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { RdbError } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import { RDB_CODE_HEADER, fromConnectError, unaryTransport } from "@flaredb/rdb-wire";

/** Longest time for one address when there are others to try. */
const ADDRESS_TIMEOUT_MS = 2_000;

/** One call of a placement driver's method. */
type Call<Service extends DescService, Answer> = (
  client: Client<Service>,
  options: { readonly timeoutMs: number },
) => Promise<Answer>;

/**
 * Asks the placement driver: each address in turn, until one answers.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE when none does within `timeoutMs`; what PD itself refuses, with its code
 */
export function callPd<Answer>(
  addresses: readonly string[],
  timeoutMs: number,
  call: Call<typeof PdService, Answer>,
): Promise<Answer> {
  return callService(PdService, addresses, timeoutMs, call);
}

/** The same for what people ask of it. */
export function callPdAdmin<Answer>(
  { pdAddresses, timeoutMs }: { readonly pdAddresses: readonly string[]; readonly timeoutMs: number },
  call: Call<typeof PdAdminService, Answer>,
): Promise<Answer> {
  return callService(PdAdminService, pdAddresses, timeoutMs, call);
}

async function callService<Service extends DescService, Answer>(
  service: Service,
  addresses: readonly string[],
  timeoutMs: number,
  call: Call<Service, Answer>,
): Promise<Answer> {
  const failures: string[] = [];
  const deadlineMs = performance.now() + timeoutMs;
  for (const address of addresses) {
    const remainingMs = Math.ceil(deadlineMs - performance.now());
    if (remainingMs <= 0) {
      break;
    }
    const connection = unaryTransport(address);
    try {
      const single = addresses.length === 1;
      const callTimeoutMs = single ? remainingMs : Math.min(remainingMs, ADDRESS_TIMEOUT_MS);
      return await call(createClient(service, connection.transport), { timeoutMs: callTimeoutMs });
    } catch (caught) {
      const error = fromConnectError(caught, "RDB_PD_UNAVAILABLE");
      if (isAnswer(caught)) {
        throw error;
      }
      failures.push(`${address} (${describe(error)})`);
    } finally {
      connection.close();
    }
  }
  throw new RdbError("RDB_PD_UNAVAILABLE", `no placement driver answers at ${failures.join(", ")}`, {
    details: { addresses },
  });
}

/** Whether PD itself said it: everything else comes from a connection that failed, or from some other program. */
function isAnswer(caught: unknown): boolean {
  return ConnectError.from(caught).metadata.has(RDB_CODE_HEADER);
}

function describe(error: RdbError): string {
  return error.code === "RDB_DEADLINE_EXCEEDED" ? "no answer in time" : error.message;
}
