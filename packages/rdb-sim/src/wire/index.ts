export { SimNet, type SimNetOptions } from "./sim-net.ts";
export { SimWire, type SimWireOptions } from "./sim-wire.ts";
export { quietLink, type LinkState } from "./link.ts";
export type { HeldMessage, NetEvent, NetEventKind, NetMessage, Verdict } from "./net-event.ts";
export type { ProcessPort } from "./process-port.ts";
