export {
  BATCH_PATH,
  clientCodec,
  putRequest,
  putResponse,
  serverCodec,
} from "./echo.ts";
