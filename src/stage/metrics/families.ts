/** One name of what is measured, as Prometheus takes it. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

type FamilyId =
  | "hits"
  | "misses"
  | "fetched"
  | "read"
  | "written"
  | "reused"
  | "layersUnpacked"
  | "staging"
  | "waiting"
  | "errors"
  | "gcRuns"
  | "evictions"
  | "evicted"
  | "cacheSize"
  | "cacheEntries"
  | "success";

const prefix = "stage_rootfs_";

function family(name: string, type: Family["type"], help: string): Family {
  return { name: `${prefix}${name}`, type, help };
}

/** All that is measured, in the order in which it is written. */
export const families: Readonly<Record<FamilyId, Family>> = {
  hits: family("hits_total", "counter", "Images that stood in the cache when they were asked for."),
  misses: family("misses_total", "counter", "Images that were staged anew."),
  fetched: family("fetched_bytes_total", "counter", "Bytes that came from registries."),
  read: family("read_bytes_total", "counter", "Bytes of layers as they are stored that were read."),
  written: family("written_bytes_total", "counter", "File content of layers that were unpacked."),
  reused: family("reused_bytes_total", "counter", "File content of layers that the cache had."),
  layersUnpacked: family("layers_unpacked_total", "counter", "Layers that were unpacked."),
  staging: family("staging_seconds", "histogram", "How long it took to stage images anew."),
  waiting: family("wait_seconds_total", "counter", "Time spent waiting for other processes."),
  errors: family("errors_total", "counter", "Commands that failed, by the error's code."),
  gcRuns: family("gc_runs_total", "counter", "How often garbage was collected."),
  evictions: family("evictions_total", "counter", "Images removed from the cache, by the reason."),
  evicted: family("evicted_bytes_total", "counter", "About what was freed in the cache."),
  cacheSize: family("cache_bytes", "gauge", "About what the cache takes."),
  cacheEntries: family("cache_entries", "gauge", "How many images stand in the cache."),
  success: family(
    "last_success_timestamp_seconds",
    "gauge",
    "When something was last done without an error, in seconds since 1970.",
  ),
};

/** Upper bounds of the histogram's buckets, in seconds. */
export const stagingBounds: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];
