import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";

/**
 * A service that only the leader gives: each call goes to what the leadership of that moment has.
 *
 * @param current throws RDB_NOT_LEADER, with the leader's address, on other members
 */
export function leaderOnly<Service extends DescService>(
  service: Service,
  current: () => ServiceImpl<Service>,
): ServiceImpl<Service> {
  const methods = service.methods.map(({ localName }) => {
    const call = (...args: unknown[]): unknown => {
      const implementation = current() as Readonly<Record<string, (...args: unknown[]) => unknown>>;
      return implementation[localName]?.(...args);
    };
    return [localName, call] as const;
  });
  // One entry for each method of the service, of the same type: what the mapped type says and cannot be inferred.
  return Object.fromEntries(methods) as ServiceImpl<Service>;
}
