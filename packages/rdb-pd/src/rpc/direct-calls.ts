import {
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  type MessageInitShape,
  type MessageShape,
  create,
} from "@bufbuild/protobuf";
import { type HandlerContext, type ServiceImpl, createHandlerContext } from "@connectrpc/connect";

type UnaryNames<Service extends DescService> = {
  [Name in keyof Service["method"]]: Service["method"][Name] extends DescMethodUnary ? Name : never;
}[keyof Service["method"]];

/** The unary methods of a service, to be called in this process: errors are RdbError, as the service throws them. */
export type DirectCalls<Service extends DescService> = {
  readonly [Name in UnaryNames<Service>]: (
    request: MessageInitShape<Service["method"][Name]["input"]>,
  ) => Promise<MessageShape<Service["method"][Name]["output"]>>;
};

/**
 * Calls a service without a wire between, so that whoever asks in another way gets what RPC gets: the same checks, the
 * same work, the same refusals.
 *
 * @param current throws RDB_NOT_LEADER, with the leader's address, on members that do not serve
 */
export function directCalls<Service extends DescService>(
  service: Service,
  current: () => ServiceImpl<Service>,
): DirectCalls<Service> {
  const calls = service.methods
    .filter(({ methodKind }) => methodKind === "unary")
    .map((method) => {
      const call = async (request: Record<string, unknown>): Promise<unknown> => {
        const implementation = current() as Readonly<Record<string, AnyCall>>;
        const answer = await implementation[method.localName]?.(
          create(method.input, request),
          contextOf(method),
        );
        return create(method.output, answer);
      };
      return [method.localName, call] as const;
    });
  // One entry for each unary method, of its own types: what the mapped type says and cannot be inferred.
  return Object.fromEntries(calls) as unknown as DirectCalls<Service>;
}

type AnyCall = (...args: unknown[]) => Record<string, unknown> | Promise<Record<string, unknown>>;

function contextOf(method: DescMethod): HandlerContext {
  return createHandlerContext({
    service: method.parent,
    method,
    protocolName: "direct",
    requestMethod: "POST",
    url: "direct:",
  });
}
