import { expect, test } from "vitest";
import { memberEnvironment } from "./member-environment.ts";

test("settings of servers that run elsewhere do not reach a playground's processes; all else does", () => {
  const own = {
    PATH: "/bin",
    FLAREDB_SERVER_ADVERTISE_ADDRESS: "10.0.0.1:7410",
    FLAREDB_PD_DATA_DIR: "/var/lib/flaredb",
    FLAREDB_SERVERS: "kept",
  };
  expect(memberEnvironment(own)).toEqual({ PATH: "/bin", FLAREDB_SERVERS: "kept" });
});
