import type { Checked, Finding, Verification } from "../stage/verify/result.js";

/** What `stage-rootfs verify` says on stdout: a line for each difference, and what was looked at. */
export function verificationText(found: Verification): string {
  const { findings, entries, layers, sample, checked } = found;
  const damaged = entries.filter(({ state }) => state === "damaged");
  const others = entries.filter(({ state }) => state === "gone" || state === "busy");
  const unlisted = layers.filter(({ digests }) => digests === "missing").length;
  const lines = [
    ...findings.map(findingLine),
    ...damaged.map(({ key, repair }) => `${repair ?? "damaged"}: ${key}`),
    ...others.map(({ key, state }) => `${state}: ${key}`),
    `${entries.length} entries, ${layers.length} layers, ${checked.paths} names; ${readLine(checked)}`,
    ...(sample ? [`a sample of ${sample.percent}%: --seed ${sample.seed} chooses it again`] : []),
    ...(unlisted > 0
      ? [`${unlisted} layers have no listing: only their structure in the rootfs was compared`]
      : []),
    findings.length === 0 ? "nothing differs" : `${findings.length} differences`,
  ];
  return `${lines.join("\n")}\n`;
}

function findingLine({ code, in: where, name, path, message }: Finding): string {
  return `${where} ${name}: ${path === "" ? "." : path}: ${message} (${code})`;
}

function readLine({ files, bytes, unreadable, withoutDigest }: Checked): string {
  const parts = [`${files} files read, ${Math.ceil(bytes / 1024 ** 2)} MiB`];
  if (unreadable > 0) parts.push(`${unreadable} may not be read by you`);
  if (withoutDigest > 0) parts.push(`${withoutDigest} have no digest on record`);
  return parts.join(", ");
}
