import { latencyBuckets } from "./buckets.ts";
import { counter, counterBy, gauge, gaugeBy, histogramBy, openMetric } from "./definition.ts";

/** Of a member of the placement driver. Those of the cluster are only shown by the one that leads. */
export const pdTable = {
  isLeader: gauge("flaredb_pd_leader", "1 while this member leads PD's group and answers."),
  leaderMember: gauge(
    "flaredb_pd_leader_member_id",
    "The member that leads, as this one knows; 0: none is known.",
  ),
  appliedIndex: gauge("flaredb_pd_applied_index", "Last entry of PD's own log that this member applied."),
  members: gaugeBy("flaredb_pd_members", "Members of PD's group, as the one that leads sees them.", "state", [
    "up",
    "down",
  ]),
  leaderChanges: counter("flaredb_pd_leader_changes_total", "How often this member began to lead."),
  proposals: counterBy(
    "flaredb_pd_proposals_total",
    "Commands for PD's own log, by whether they were applied or failed.",
    "outcome",
    ["applied", "failed"],
  ),
  heartbeats: counterBy("flaredb_pd_heartbeats_total", "Heartbeats of Stores, by kind and outcome.", "kind", [
    "store",
    "region",
    "refused",
  ]),
  heartbeatLatency: histogramBy(
    "flaredb_pd_heartbeat_latency_seconds",
    "Time to take in a heartbeat, with what it puts into PD's log.",
    latencyBuckets,
    { label: "kind", values: ["store", "region"] },
  ),
  reportedRegions: counter("flaredb_pd_region_reports_total", "Reports of Regions in heartbeats."),

  stores: gaugeBy("flaredb_pd_stores", "Stores of the cluster by state.", "state", [
    "up",
    "disconnected",
    "down",
    "tombstone",
  ]),
  storesWithTrouble: gaugeBy(
    "flaredb_pd_stores_with_trouble",
    "Stores that are up and slow, or out of disk space.",
    "trouble",
    ["slow", "full"],
  ),
  storeRegions: openMetric(
    "gauge",
    "flaredb_pd_store_regions",
    "Peers of Regions on the Store, as PD places them.",
    {
      labels: ["store"],
      absentWhen: "this member does not lead, or no Store is registered",
    },
  ),
  storeLeaders: openMetric("gauge", "flaredb_pd_store_leaders", "Regions that the Store leads.", {
    labels: ["store"],
    absentWhen: "this member does not lead, or no Store is registered",
  }),
  regions: gauge("flaredb_pd_regions", "Regions of the cluster."),
  regionsTroubled: gaugeBy(
    "flaredb_pd_regions_with_trouble",
    "Regions of which no leader is known, or of which a peer is down, far behind or damaged.",
    "trouble",
    ["no_leader", "down_peer", "pending_peer", "damaged_peer"],
  ),
  operators: gaugeBy("flaredb_pd_operators_active", "Operators that wait or run.", "state", [
    "waiting",
    "running",
  ]),
  operatorsEnded: openMetric(
    "counter",
    "flaredb_pd_operators_total",
    "Operators that began or ended, by kind and how.",
    {
      labels: ["kind", "event"],
      absentWhen: "no operator began yet",
    },
  ),
  decisions: openMetric(
    "counter",
    "flaredb_pd_decisions_total",
    "What checkers and schedulers came to when they wanted something: planned, refused, or no room for it; idle: a scheduler found nothing to do.",
    { labels: ["source", "outcome"], absentWhen: "PD does not schedule yet" },
  ),
  patrolRounds: counter("flaredb_pd_patrol_rounds_total", "Times that the checkers looked at every Region."),
  streams: gauge("flaredb_pd_heartbeat_streams", "Stores that have their stream of heartbeats open."),
};
