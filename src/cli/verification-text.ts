import type { Checked, Finding, Verification } from "../stage/verify/result.js";

/** What `stage-rootfs verify` says on stdout: a line for each difference, and what was looked at. */
export function verificationText(found: Verification): string {
  const { findings, failures, entries, layers, sample, checked } = found;
  const damaged = entries.filter(({ state }) => state === "damaged");
  const others = entries.filter(({ state }) => state === "gone" || state === "busy");
  const unlisted = layers.filter(({ digests }) => digests === "missing").length;
  const lines = [
    ...findings.map(findingLine),
    ...damaged.map(({ key, repair }) => `${repair ?? "damaged"}: ${key}`),
    ...failures.map(({ in: where, name, message }) => `failed: ${where} ${name}: ${message}`),
    ...others.map(({ key, state }) => `${state}: ${key}`),
    `${amount(entries.length, "entry entries")}, ${amount(layers.length, "layer layers")}, ${amount(checked.paths, "name names")}; ${readLine(checked)}`,
    ...(sample ? [`a sample of ${sample.percent}%: --seed ${sample.seed} chooses it again`] : []),
    ...(unlisted > 0
      ? [
          `${amount(unlisted, "layer layers")} without a listing: only the structure in the rootfs was compared`,
        ]
      : []),
    findings.length === 0 ? "nothing differs" : amount(findings.length, "difference differences"),
  ];
  return `${lines.join("\n")}\n`;
}

function findingLine({ code, in: where, name, path, message }: Finding): string {
  return `${where} ${name}: ${path === "" ? "." : path}: ${message} (${code})`;
}

function readLine({ files, bytes, unreadable, withoutDigest }: Checked): string {
  const parts = [`${amount(files, "file files")} read, ${Math.ceil(bytes / 1024 ** 2)} MiB`];
  if (unreadable > 0) parts.push(`${unreadable} may not be read by you`);
  if (withoutDigest > 0) parts.push(`${withoutDigest} have no digest on record`);
  return parts.join(", ");
}

/** @param forms of the word, for one and for many */
function amount(count: number, forms: `${string} ${string}`): string {
  return `${count} ${forms.split(" ")[count === 1 ? 0 : 1]}`;
}
