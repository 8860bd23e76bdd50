export {
  BATCH_PATH,
  clientCodec,
  putRequest,
  putResponse,
  serverCodec,
} from "./echo.ts";
export { wireContract } from "./wire-contract.ts";
export {
  type WireContractCase,
  type WireFixture,
  callEcho,
  serveEcho,
} from "./wire-fixture.ts";
