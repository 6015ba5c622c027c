// @ts-check
import { plainTable } from "../report/table.mjs";

const KB = 1e3;
const MB = 1e6;
const GB = 1e9;

/**
 * What the reckoning assumes. Bytes are bytes of the compressed image, times are in seconds, rates
 * in bytes a second. Those marked "measured" are of `npm run bench:fleet`: four nodes on one machine
 * of two processors, so they are rather too slow than too fast. The others are guesses at a cluster.
 * @typedef {typeof DEFAULTS} Parameters
 */
export const DEFAULTS = {
  nodes: 20_000,
  imageBytes: 2 * GB,
  layers: 10,
  /** Requests of a node that takes an image from a registry, beside one for each layer. */
  otherRequests: 3,
  documentBytes: 20 * KB,
  /** What the registry, or the line to it, gives to all together. */
  registryRate: 1.25 * GB,
  /** How many requests the registry answers in a second. */
  registryRequests: 2000,
  requestLatency: 0.01,
  /** Each node's own line, and the submitting host's. */
  nodeRate: 3 * GB,
  /** What the shared disk gives to all together. */
  sharedRate: 50 * GB,
  /** How fast a node verifies and unpacks. Measured. */
  unpackRate: 150 * MB,
  /** How fast the submitting host fetches, verifies and writes a pack. Measured. */
  packRate: 55 * MB,
  /** From srun to the first line of a step of ours, on one node. Measured. */
  stepStart: 0.4,
  /** How many such steps a second the submitting host and Slurm's controller start at most. */
  stepsPerSecond: 20,
  /** What each node adds to the start of a step on many nodes. */
  stepPerNode: 0.001,
  /** Steps on all nodes that a broadcast takes: to hold them, to ask them, to make room, to stage. */
  broadcastSteps: 4,
  /** sbcast sends one such piece after the other, and waits for all nodes each time. */
  pieceBytes: 8 * MB,
  /** How fast a daemon of Slurm's takes a piece and writes it. Measured. */
  relayRate: 270 * MB,
  /** From one node of the tree to the next, beside the transfer. */
  hopLatency: 0.002,
};

/**
 * @typedef {object} Outcome
 * @property {string} way
 * @property {number} requests at the registry
 * @property {number} registryBytes out of the registry
 * @property {number} coreBytes over the cluster's network, the registry's and the shared disk's included
 * @property {number} seconds until the last node is ready
 */

/**
 * Every node takes the image from the registry, so many at a time.
 * @param {Parameters} p
 * @param {number} fanIn
 * @returns {Outcome}
 */
export function viaRegistry(p, fanIn) {
  const atOnce = Math.min(fanIn, p.nodes);
  const perNode = p.layers + p.otherRequests;
  const bytes = p.imageBytes + p.documentBytes;
  const rate = Math.min(p.nodeRate, p.registryRate / atOnce, p.unpackRate);
  const node = p.stepStart + perNode * p.requestLatency + bytes / rate;
  const turns = Math.ceil(p.nodes / atOnce) * node;
  const requests = p.nodes * perNode;
  const bounds = [p.nodes / p.stepsPerSecond, requests / p.registryRequests];
  return {
    way: `registry, ${atOnce.toLocaleString("en")} at a time`,
    requests,
    registryBytes: p.nodes * bytes,
    coreBytes: p.nodes * bytes,
    seconds: Math.max(turns, ...bounds),
  };
}

/**
 * One host packs the image, Slurm's daemons hand it on, each to so many others.
 * @param {Parameters} p
 * @param {number} width
 * @returns {Outcome}
 */
export function viaSbcast(p, width) {
  const levels = treeLevels(p.nodes, width);
  const children = Math.min(width, p.nodes);
  const transfer = (children * p.pieceBytes) / p.nodeRate;
  const hop = transfer + p.pieceBytes / p.relayRate + p.hopLatency;
  const sending = Math.ceil(p.imageBytes / p.pieceBytes) * levels * hop;
  return {
    way: `sbcast, tree of ${width}`,
    ...packedOnce(p),
    coreBytes: p.imageBytes + p.nodes * p.imageBytes,
    seconds: starting(p) + packing(p) + sending + p.imageBytes / p.unpackRate,
  };
}

/**
 * One host packs the image onto a disk that all nodes read.
 * @param {Parameters} p
 * @returns {Outcome}
 */
export function viaShared(p) {
  const rate = Math.min(p.nodeRate, p.sharedRate / p.nodes, p.unpackRate);
  return {
    way: "shared disk",
    ...packedOnce(p),
    coreBytes: 2 * p.imageBytes + p.nodes * p.imageBytes,
    seconds: starting(p) + packing(p) + p.imageBytes / rate,
  };
}

/**
 * How many times a piece is handed on until so many nodes have it.
 * @param {number} nodes
 * @param {number} width
 */
export function treeLevels(nodes, width) {
  let levels = 0;
  for (let reached = 0, layer = 1; reached < nodes; levels++) {
    layer *= width;
    reached += layer;
  }
  return levels;
}

/** @param {Parameters} p */
function packedOnce(p) {
  const registryBytes = p.imageBytes + p.documentBytes;
  return { requests: p.layers + p.otherRequests, registryBytes };
}

/** @param {Parameters} p */
function packing(p) {
  const requests = (p.layers + p.otherRequests) * p.requestLatency;
  return requests + p.imageBytes / Math.min(p.packRate, p.registryRate, p.nodeRate);
}

/** @param {Parameters} p */
function starting(p) {
  return p.broadcastSteps * (p.stepStart + p.nodes * p.stepPerNode);
}

/** @param {Parameters} p */
export function simulate(p = DEFAULTS) {
  return [
    ...[1, 16, 64, 256, 1024].map((fanIn) => viaRegistry(p, fanIn)),
    ...[2, 4, 8].map((width) => viaSbcast(p, width)),
    viaShared(p),
  ];
}

/**
 * @param {readonly Outcome[]} outcomes
 * @returns {import("../report/table.mjs").Table}
 */
export function outcomeTable(outcomes) {
  return {
    columns: [
      { title: "way", align: "left" },
      { title: "registry requests", align: "right" },
      { title: "out of the registry", align: "right" },
      { title: "over the network", align: "right" },
      { title: "last node ready after", align: "right" },
    ],
    rows: outcomes.map(({ way, requests, registryBytes, coreBytes, seconds }) => {
      return [
        way,
        requests.toLocaleString("en"),
        sizeText(registryBytes),
        sizeText(coreBytes),
        timeText(seconds),
      ];
    }),
  };
}

/** @param {number} bytes */
function sizeText(bytes) {
  return bytes < 1e12 ? `${(bytes / GB).toFixed(1)} GB` : `${(bytes / 1e12).toFixed(1)} TB`;
}

/** @param {number} seconds */
function timeText(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * Reads `name=number` words.
 * @param {readonly string[]} words
 * @returns {Parameters}
 */
export function parametersFrom(words) {
  const given = words.map((word) => {
    const [, name = "", text = ""] = /^(\w+)=(.+)$/.exec(word) ?? [];
    const value = Number(text);
    if (!Object.hasOwn(DEFAULTS, name) || !(value > 0)) {
      throw new RangeError(
        `${word}: expected NAME=NUMBER, one of ${Object.keys(DEFAULTS).join(", ")}`,
      );
    }
    return [name, value];
  });
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

if (process.argv[1] === import.meta.filename) {
  const table = outcomeTable(simulate(parametersFrom(process.argv.slice(2))));
  process.stdout.write(`${plainTable(table)}\n`);
}
