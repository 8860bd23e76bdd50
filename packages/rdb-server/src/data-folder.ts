// What a supervisor may ask about a Store's or PD's data folder before it starts anything. A module of its own, because
// it loads no RocksDB.
export { dataFolder, hasKnownFormat, type DataFolder } from "@flaredb/rdb-storage/data-folder";
