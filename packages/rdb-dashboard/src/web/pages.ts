import type { JSX } from "preact";
import { icons } from "./parts/icons.tsx";
import { DataPage } from "./pages/data.tsx";
import { EventsPage } from "./pages/events.tsx";
import { HeatPage } from "./pages/heat.tsx";
import { OperatorsPage } from "./pages/operators.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { RegionPage } from "./pages/region.tsx";
import { RegionsPage } from "./pages/regions.tsx";
import { SchedulersPage } from "./pages/schedulers.tsx";
import { StoresPage } from "./pages/stores.tsx";
import type { Address } from "./pure/address.ts";

/** A page of the bar at the side. */
export interface PageEntry {
  /** First part of its address. */
  readonly path: string;
  readonly title: string;
  readonly icon: JSX.Element;
  /** Pressed after `g`. */
  readonly key: string;
  readonly show: (address: Address) => JSX.Element;
}

/** All of them, in the order of the bar. */
export const pages: readonly PageEntry[] = [
  { path: "", title: "Overview", icon: icons.overview, key: "o", show: OverviewPage },
  { path: "stores", title: "Stores", icon: icons.stores, key: "s", show: StoresPage },
  {
    path: "regions",
    title: "Regions",
    icon: icons.regions,
    key: "r",
    show: (address) => (address.parts[1] === undefined ? RegionsPage(address) : RegionPage(address)),
  },
  { path: "heat", title: "Key space", icon: icons.heat, key: "k", show: HeatPage },
  { path: "operators", title: "Operators", icon: icons.operators, key: "p", show: OperatorsPage },
  { path: "schedulers", title: "Schedulers", icon: icons.schedulers, key: "c", show: SchedulersPage },
  { path: "events", title: "Events", icon: icons.events, key: "e", show: EventsPage },
  { path: "data", title: "Data", icon: icons.data, key: "d", show: DataPage },
];
