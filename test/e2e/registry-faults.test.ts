import { describe, expect, test } from "vitest";
import { json } from "../support/image-parts.js";
import { indexType, manifestType, platformed } from "../support/oci-layout.js";
import {
  always,
  first,
  type Oddity,
  on,
  onDigest,
  startOddRegistry,
} from "../support/odd-registry.js";
import { answerOf } from "../support/registry/answer.js";
import { neverEnough } from "../support/registry/authentication.js";
import {
  body,
  contentGzip,
  corrupted,
  cut,
  endless,
  failing,
  headers,
  htmlPage,
  ignoringRange,
  noHttp,
  paced,
  redirect,
  tooLong,
  tooMany,
  tooShort,
  wrongContentRange,
} from "../support/registry/oddities.js";
import {
  foreignArchitecture,
  hostArchitecture,
  type RegistryContent,
  retagged,
  servedImage,
  unknownDigest,
} from "../support/registry/registry-content.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { expectFailure, expectRecovery, expectServed, patienceMs } from "./support/odd-runs.js";
import { leftovers, stagedBy } from "./support/staged.js";

const image = servedImage();
const [base, large] = image.layers;
if (!base || !large) throw new Error("the image has other layers");

/** How a registry is wrong. */
interface Fault {
  readonly name: string;
  /** Made for each registry anew, because they may count. */
  readonly oddities?: () => readonly Oddity[];
  /** `image` unless given. */
  readonly content?: RegistryContent;
  readonly args?: readonly string[];
  /** Stages the image by its digest, not by its tag. */
  readonly byDigest?: boolean;
}

/** A fault that staging fails with: the exit codes that may be, and what the message names. */
interface Refusal extends Fault {
  readonly exitCodes: readonly number[];
  readonly says?: RegExp;
}

/** A manifest with the image's parts, some of them changed. */
function altered(changes: Readonly<Record<string, unknown>>): RegistryContent {
  const { config, layers } = image;
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers, ...changes };
  return retagged(image, { bytes: json(document), mediaType: manifestType });
}

function index(manifests: readonly unknown[]): RegistryContent {
  const document = { schemaVersion: 2, mediaType: indexType, manifests };
  return retagged(image, { bytes: json(document), mediaType: indexType });
}

const schema1Type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const schema1 = json({ schemaVersion: 1, name: image.repository, tag: "latest", fsLayers: [] });

const damaged: readonly Refusal[] = [
  { name: "a layer with a wrong bit", oddities: () => [on("layer", corrupted)] },
  { name: "a config with a wrong bit", oddities: () => [on("config", corrupted)] },
  { name: "a config longer than it should be", oddities: () => [on("config", tooLong)] },
  { name: "a config without an end", oddities: () => [on("config", endless)] },
  {
    name: "a manifest that has not the digest asked for",
    oddities: () => [on("manifest", corrupted)],
    byDigest: true,
  },
  {
    name: "a manifest that has not the digest asked for, but says so",
    oddities: () => [on("manifest", corrupted, headers({ "docker-content-digest": undefined }))],
    byDigest: true,
  },
  {
    name: "a manifest that has not the digest of its header",
    oddities: () => [on("manifest", headers({ "docker-content-digest": unknownDigest }))],
    exitCodes: [65, 66],
  },
  { name: "a manifest without an end", oddities: () => [on("manifest", endless)] },
  {
    name: "a manifest of schema 1",
    content: retagged(image, { bytes: schema1, mediaType: schema1Type }),
    oddities: () => [on("manifest", headers({ "content-type": schema1Type }))],
    says: /schema 1/,
  },
  {
    name: "a manifest that is also an index",
    content: altered({ manifests: [image.manifest] }),
  },
  {
    name: "a manifest of another type than its header says",
    oddities: () => [on("manifest", headers({ "content-type": indexType }))],
  },
  {
    name: "a manifest whose config is no image's",
    content: altered({ config: { ...image.config, mediaType: "application/vnd.cncf.helm.v1" } }),
  },
  {
    name: "a layer that is larger than its descriptor says",
    content: altered({ layers: [base, { ...large, size: large.size - 1 }] }),
  },
  {
    name: "a layer that is smaller than its descriptor says",
    content: altered({ layers: [base, { ...large, size: large.size + 1 }] }),
    exitCodes: [65, 69],
  },
  { name: "fewer layers than the config has", content: altered({ layers: [base] }) },
  {
    name: "thousands of layers",
    content: altered({ layers: Array.from({ length: 5000 }, () => base) }),
  },
  { name: "too large a manifest", oddities: () => [], args: ["--max-document", "100"] },
  {
    name: "a layer to be had elsewhere",
    content: altered({
      layers: [base, { ...large, urls: ["http://127.0.0.1:1/layer"] }],
    }),
    oddities: () => [on("layer", failing(404))],
    says: /--allow-foreign-layers/,
  },
].map((refusal) => ({ exitCodes: [65], ...refusal }));

const failed: readonly Refusal[] = [
  { name: "500 for good", oddities: () => [failing(500)] },
  { name: "503 for good", oddities: () => [failing(503)] },
  { name: "503 for good, for a layer", oddities: () => [on("layer", failing(503))] },
  { name: "429 for good", oddities: () => [tooMany(0)], exitCodes: [69, 75] },
  { name: "429 for an hour", oddities: () => [tooMany(3600)], exitCodes: [69, 75] },
  { name: "418", oddities: () => [failing(418)] },
  { name: "connections closed without a word", oddities: () => [noHttp()] },
  { name: "another protocol", oddities: () => [noHttp("SSH-2.0-OpenSSH_9.2p1\r\n")] },
  { name: "half of a status line", oddities: () => [noHttp("HTTP/1.1 200")] },
  {
    name: "a layer that is reset each time, without progress",
    oddities: () => [on("layer", cut(0, "reset"))],
  },
  {
    name: "a layer that breaks off at the same place each time",
    oddities: () => [onDigest(large.digest, ignoringRange(image), cut(1000, "close"))],
  },
  {
    name: "a layer whose end is missing",
    oddities: () => [on("layer", tooShort)],
    exitCodes: [65, 69],
  },
  { name: "a page of HTML for everything", oddities: () => [htmlPage], exitCodes: [65, 69] },
  {
    name: "a page of HTML for a layer",
    oddities: () => [on("layer", htmlPage)],
    exitCodes: [65, 69],
  },
  {
    name: "nothing for a manifest",
    oddities: () => [on("manifest", always(answerOf(200, { type: manifestType, body: "" })))],
    exitCodes: [65, 69],
  },
  {
    name: "nothing for a layer",
    oddities: () => [on("layer", body(""))],
    exitCodes: [65, 69],
  },
  {
    name: "redirects in a circle",
    oddities: () => [on("layer", redirect(`/v2/${image.repository}/blobs/{digest}`))],
  },
  { name: "a redirect to nowhere", oddities: () => [on("layer", redirect(""))] },
  { name: "a redirect to a file", oddities: () => [on("layer", redirect("file:///etc/passwd"))] },
  {
    name: "a redirect to a host without a name",
    oddities: () => [on("layer", redirect("http://nobody.invalid/{digest}"))],
  },
].map((refusal) => ({ exitCodes: [69], ...refusal }));

const refused: readonly Refusal[] = [
  { name: "401 for good, without a challenge", oddities: () => [neverEnough()] },
  { name: "401 for good, with Basic", oddities: () => [neverEnough('Basic realm="x"')] },
  { name: "401 for good, with a scheme nobody knows", oddities: () => [neverEnough("Negotiate")] },
  {
    name: "a challenge that can't be read",
    oddities: () => [neverEnough('Bearer realm="')],
    exitCodes: [69, 77],
  },
  {
    name: "a challenge without a realm",
    oddities: () => [neverEnough('Bearer service="x"')],
    exitCodes: [69, 77],
  },
  { name: "403", oddities: () => [failing(403, { code: "DENIED" })] },
  { name: "403 for a layer", oddities: () => [on("layer", failing(403, { code: "DENIED" }))] },
].map((refusal) => ({ exitCodes: [77], ...refusal }));

const missing: readonly Refusal[] = [
  { name: "an unknown tag", oddities: () => [on("manifest", failing(404))], says: /:latest/ },
  {
    name: "an index without this machine's platform",
    content: index([{ ...image.manifest, ...platformed(`linux/${foreignArchitecture}`) }]),
    says: new RegExp(foreignArchitecture),
  },
  { name: "an empty index", content: index([]), exitCodes: [65, 66] },
  {
    name: "an index whose manifest is not there",
    content: index([
      { ...image.manifest, digest: unknownDigest, ...platformed(`linux/${hostArchitecture}`) },
    ]),
  },
  {
    name: "a layer that is not there",
    oddities: () => [on("layer", failing(404, { code: "BLOB_UNKNOWN" }))],
    exitCodes: [66, 69],
  },
  {
    name: "the image of another platform",
    args: ["--platform", `linux/${foreignArchitecture}`],
    says: new RegExp(foreignArchitecture),
  },
].map((refusal) => ({ exitCodes: [66], ...refusal }));

describe.concurrent("staging fails with", () => {
  const refusals = [...damaged, ...failed, ...refused, ...missing];
  test.for(refusals.map((refusal) => [refusal.name, refusal] as const))(
    "%s",
    async ([, refusal], { onTestFinished }) => {
      const { oddities, content = image, args = [], byDigest } = refusal;
      const registry = await startOddRegistry(oddities?.(), { content, atTheEnd: onTestFinished });
      const cacheDir = freshCacheDir("ordinary", onTestFinished);
      const reference = registry.reference(byDigest ? image.manifest.digest : undefined);
      const run = await stageRootfs(["--cache-dir", cacheDir, ...args, reference], {
        timeoutMs: patienceMs,
      });
      expectFailure(run, { cacheDir, ...refusal });
      // A body that has become too long is left to itself.
      for (const { sent } of registry.seen()) expect(sent).toBeLessThan(64 * 1024 ** 2);
      await expectRecovery(image, { cacheDir, onTestFinished });
    },
  );

  test("an error text that would write to the terminal: on one plain line", async ({
    onTestFinished,
  }) => {
    const message = "bad\u001b[2J\nstage-rootfs: all is well\r\u202eabc";
    const registry = await startOddRegistry([failing(403, { code: "DENIED", message })], {
      atTheEnd: onTestFinished,
    });
    const cacheDir = freshCacheDir("ordinary", onTestFinished);
    const run = await stageRootfs(["--cache-dir", cacheDir, registry.reference()]);
    expectFailure(run, { cacheDir, exitCodes: [77] });
  });
});

const overcome: readonly Fault[] = [
  { name: "503 twice", oddities: () => [first(2, failing(503))] },
  { name: "500 once, for each", oddities: () => [on("manifest", first(1, failing(500)))] },
  {
    name: "502 with a page of HTML",
    oddities: () => [first(1, always(answerOf(502, { type: "text/html", body: "<html>" })))],
  },
  { name: "429 without delay", oddities: () => [first(1, tooMany(0))] },
  { name: "a date that is over", oddities: () => [first(1, tooMany(new Date(0)))] },
  { name: "a connection closed without a word", oddities: () => [first(1, noHttp())] },
  { name: "a body in small pieces", oddities: () => [on("layer", paced(20_000, 5))] },
  { name: "a layer longer than it should be", oddities: () => [on("layer", tooLong)] },
  { name: "a layer without an end", oddities: () => [on("layer", endless)] },
  { name: "bodies without a length", oddities: () => [headers({ "content-length": undefined })] },
  {
    name: "a manifest without the header for its digest",
    oddities: () => [on("manifest", headers({ "docker-content-digest": undefined }))],
  },
  {
    name: "a header that holds no digest",
    oddities: () => [on("manifest", headers({ "docker-content-digest": "none" }))],
  },
  {
    name: "a registry that knows no HEAD",
    oddities: () => [
      (answer, request) => (request.method === "HEAD" ? failing(405)(answer, request) : answer),
    ],
  },
  {
    name: "a manifest whose type has parameters",
    oddities: () => [on("manifest", headers({ "content-type": `${manifestType}; charset=utf-8` }))],
  },
  {
    name: "a layer that is reset once",
    oddities: () => [onDigest(large.digest, first(1, cut(100_000, "reset")))],
  },
  {
    name: "a layer that breaks off again and again, a bit further each time",
    oddities: () => [onDigest(large.digest, first(8, cut(30_000, "close")))],
  },
  {
    name: "a layer that is not to be had in parts",
    oddities: () => [onDigest(large.digest, ignoringRange(image), first(1, cut(100_000, "reset")))],
  },
  {
    name: "an index of several platforms",
    content: index([
      { ...image.manifest, digest: unknownDigest, ...platformed(`linux/${foreignArchitecture}`) },
      { ...image.manifest, ...platformed(`linux/${hostArchitecture}`) },
      { ...image.manifest, digest: unknownDigest, ...platformed("unknown/unknown") },
    ]),
  },
  {
    name: "a redirect with an address that is relative",
    oddities: () => [
      on("manifest", first(1, redirect(`/v2/${image.repository}/manifests/latest`))),
    ],
  },
];

describe.concurrent("staging succeeds despite", () => {
  test.for(overcome.map((fault) => [fault.name, fault] as const))(
    "%s",
    async ([, { oddities, content = image, args = [] }], { onTestFinished }) => {
      const registry = await startOddRegistry(oddities?.(), { content, atTheEnd: onTestFinished });
      const cacheDir = freshCacheDir("ordinary", onTestFinished);
      const run = await stageRootfs([
        "--json",
        "--cache-dir",
        cacheDir,
        ...args,
        registry.reference(),
      ]);
      expectServed(stagedBy(run), image);
      expect(leftovers(cacheDir)).toEqual([]);
    },
  );

  test("waits as long as a registry with too much to do asks for", async ({ onTestFinished }) => {
    const oddities = [on("manifest", first(1, tooMany(2)))];
    const registry = await startOddRegistry(oddities, { atTheEnd: onTestFinished });
    const cacheDir = freshCacheDir("ordinary", onTestFinished);
    stagedBy(await stageRootfs(["--json", "--cache-dir", cacheDir, registry.reference()]));
    const [asked, again] = registry.seen("manifest");
    expect((again?.at ?? 0) - (asked?.at ?? 0)).toBeGreaterThanOrEqual(1900);
  });

  test.for([
    ["is compressed on the way", contentGzip],
    ["is another part than was asked for", wrongContentRange],
  ] as const)("takes no harm from a layer that %s", async ([, oddity], { onTestFinished }) => {
    const oddities = [onDigest(large.digest, oddity, first(1, cut(100_000, "reset")))];
    const registry = await startOddRegistry(oddities, { content: image, atTheEnd: onTestFinished });
    const cacheDir = freshCacheDir("ordinary", onTestFinished);
    const args = ["--json", "--cache-dir", cacheDir, registry.reference()];
    const run = await stageRootfs(args, { timeoutMs: patienceMs });
    if (run.exitCode === 0) expectServed(stagedBy(run), image);
    else expect([65, 69]).toContain(run.exitCode);
    await expectRecovery(image, { cacheDir, onTestFinished });
  });
});
