import { AdminScene, type AdminSceneOptions } from "./admin-scene.ts";
import { OperatorCommands } from "./operator-commands.ts";
import { PeerCommands } from "./peer-commands.ts";

/** What people ask of the placement driver, by what it is about. */
export class PlacementAdmin {
  readonly peers: PeerCommands;
  readonly operators: OperatorCommands;

  constructor(options: AdminSceneOptions) {
    const scene = new AdminScene(options);
    this.peers = new PeerCommands(scene);
    this.operators = new OperatorCommands(options.operators);
  }
}
