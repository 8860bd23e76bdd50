import { AdminScene, type AdminSceneOptions } from "./admin-scene.ts";
import { OperatorCommands } from "./operator-commands.ts";
import { PeerCommands } from "./peer-commands.ts";
import type { RecoveryDesk } from "../recovery/recovery-desk.ts";
import { RegionCommands } from "./region-commands.ts";
import { SchedulerCommands } from "./scheduler-commands.ts";
import { StoreCommands } from "./store-commands.ts";

/** What people ask of the placement driver, by what it is about. */
export class PlacementAdmin {
  readonly peers: PeerCommands;
  readonly regions: RegionCommands;
  readonly stores: StoreCommands;
  readonly operators: OperatorCommands;
  readonly schedulers: SchedulerCommands;
  readonly recovery: RecoveryDesk;

  constructor(options: AdminSceneOptions & { readonly recovery: RecoveryDesk }) {
    this.recovery = options.recovery;
    const scene = new AdminScene(options);
    this.peers = new PeerCommands(scene);
    this.regions = new RegionCommands(scene, options);
    this.stores = new StoreCommands(scene, options);
    this.operators = new OperatorCommands(options.operators);
    this.schedulers = new SchedulerCommands(scene, options);
  }
}
