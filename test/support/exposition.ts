const word = "[a-zA-Z_:][a-zA-Z0-9_:]*";

/**
 * Reads Prometheus's text format 0.0.4, stricter than its own parser: every family has a HELP and a
 * TYPE, in that order and once, before its samples, which stand together; nothing occurs twice; and
 * counters and histograms are what they have to be.
 */
export function parseExposition(text: string): ReadonlyMap<string, number> {
  if (!text.endsWith("\n")) throw new Error("the last line is not ended");
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let helped = "";
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] =
      new RegExp(`^# (HELP|TYPE) (${word}) (.+)$`).exec(line) ?? [];
    if (keyword === "HELP") helped = name;
    else if (keyword === "TYPE") {
      if (helped !== name || types.has(name)) throw new Error(`out of place: ${line}`);
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`no type: ${line}`);
      if ((rest === "counter") !== name.endsWith("_total")) throw new Error(`misnamed: ${line}`);
      types.set(name, rest);
      family = name;
    } else if (!line.startsWith("# ")) {
      const [, key = "", value = ""] =
        new RegExp(`^(${word}(?:\\{${word}="[^"\\\\\n]*"\\})?) (\\S+)$`).exec(line) ?? [];
      const base = key.replace(/\{.*/, "");
      const parts = types.get(family) === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!parts.some((part) => base === `${family}${part}`)) throw new Error(`stray: ${line}`);
      if (samples.has(key) || !Number.isFinite(Number(value))) throw new Error(`wrong: ${line}`);
      samples.set(key, Number(value));
    }
  }
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, samples);
  return samples;
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = [...samples].flatMap(([key, value]) => {
    const [, bound] = /^(?:\w+)_bucket\{le="(.+)"\}$/.exec(key) ?? [];
    if (bound === undefined || !key.startsWith(name)) return [];
    return [{ bound: bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), value }];
  });
  const isAscending = buckets.every(({ bound, value }, i) => {
    const before = buckets[i - 1];
    return !before || (before.bound < bound && before.value <= value);
  });
  const last = buckets.at(-1);
  const isWhole =
    last?.bound === Number.POSITIVE_INFINITY && last.value === samples.get(`${name}_count`);
  if (!isAscending || !isWhole || !samples.has(`${name}_sum`))
    throw new Error(`no histogram: ${name}`);
}
