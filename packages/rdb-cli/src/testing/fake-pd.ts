import type { ServiceImpl } from "@connectrpc/connect";
import { silentLogger, systemClock } from "@flaredb/rdb-base";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import { RpcServer } from "@flaredb/rdb-wire";

/** A placement driver that answers what a test wants; methods left out are unimplemented. */
export async function startFakePd(
  methods: Partial<ServiceImpl<typeof PdService>>,
  adminMethods: Partial<ServiceImpl<typeof PdAdminService>> = {},
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const server = new RpcServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    routes: (router) => {
      router.service(PdService, methods);
      router.service(PdAdminService, adminMethods);
    },
  });
  await server.listen();
  return { address: server.address, stop: () => server.close(0) };
}
