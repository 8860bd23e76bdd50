/** What a machine without power loses of a real process' data. For `e2e`. */
export { WatchedFolder, buildShim } from "@flaredb/rdb-storage/crash";
