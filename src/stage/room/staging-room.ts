import { setTimeout as sleep } from "node:timers/promises";
import { Reservations } from "../../cache/place/reservations.js";
import type { LayerRecord } from "../../extract/layer-record.js";
import {
  createUnpackProgress,
  readProgress,
  type UnpackProgress,
} from "../../extract/unpack-progress.js";
import { leastContentSize, worstRatio } from "../../host/decompress/content-size.js";
import { freeRoom, isNone, noRoom, type Room, sumOf, without } from "../../host/disk-room.js";
import { type FileSystemKind, fileSystemKind } from "../../host/file-system-kind.js";
import type { Digest } from "../../oci/digest.js";
import type { ImageSummary, Layer, LayerSummary, RemoteLayer } from "../../oci/image.js";
import { cacheName, type StageRequest } from "../request.js";
import { noRoomError } from "./no-room.js";
import type { RoomMaker } from "./room-maker.js";
import { assemblyNeed, blobNeed, layerNeed, type Need } from "./room-needs.js";

export interface StagingRoomOptions {
  /** Whether a layer is still missing in the cache. */
  readonly isMissing: (diffId: Digest) => boolean;
  /** Is told, once, when room runs out under way. */
  readonly onShortage: (error: unknown) => void;
  readonly maker?: RoomMaker;
}

/** A layer that is to be unpacked, or is. */
interface Pending {
  readonly stored: number;
  /** How long its archive is at least, once somebody has looked at the blob. */
  content?: number;
  isRemote: boolean;
  readonly progress: UnpackProgress;
  /** Whether this process unpacks it now. */
  isUnderWay: boolean;
}

/** How often the disk is looked at while layers are unpacked, in milliseconds. */
const lookEvery = 250;

/**
 * How often to look before others are believed to leave too little: what they have reserved is told
 * as often as the disk is looked at, so some of it may be taken already.
 */
const looks = 3;

/**
 * The room that one staging takes of the cache's disk: reserved for others to see, and compared
 * with what is there before anything is unpacked, when a layer's true size is learnt, and now and
 * then while layers are unpacked.
 */
export class StagingRoom {
  readonly #request: StageRequest;
  readonly #options: StagingRoomOptions;
  readonly #reservations: Reservations;
  readonly #pending = new Map<Digest, Pending>();
  #key = "";
  #kind: FileSystemKind = { name: "other" };
  /** Of layers that are there: how many entries they have. */
  #entries = 0;
  #learnt: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(request: StageRequest, options: StagingRoomOptions) {
    this.#request = request;
    this.#options = options;
    this.#reservations = new Reservations(request.layout);
  }

  /**
   * Reserves what an image's layers take that the cache does not have.
   * @throws StageError NO_SPACE where there is not even the least
   */
  async admit({ imageId, layers }: ImageSummary): Promise<void> {
    this.#key = imageId;
    this.#kind = fileSystemKind(this.#request.layout.tmp);
    const isRemote = this.#request.reference.registry !== undefined;
    for (const layer of layers) {
      if (!this.#pending.has(layer.diffId)) this.#expect(layer, isRemote);
    }
    await this.#secure(() => this.#all(), "likely");
  }

  /**
   * Says that a layer is about to be unpacked by this process.
   * @param layers the image's, with their blobs
   * @returns where to tell how far that is
   * @throws StageError NO_SPACE
   */
  async begin(
    diffId: Digest,
    layers: readonly (Layer | RemoteLayer)[],
  ): Promise<UnpackProgress | undefined> {
    // All wait for the same, so that they go on in the order in which they came.
    this.#learnt ??= this.#learnAll(layers);
    await this.#learnt;
    const pending = this.#pending.get(diffId);
    if (!pending) return undefined;
    pending.isUnderWay = true;
    if (!this.#isClosed) this.#timer ??= setInterval(() => void this.#look(), lookEvery).unref();
    return pending.progress;
  }

  /** Says that the cache has a layer, whoever has unpacked it. */
  finished(diffId: Digest, { entries }: Pick<LayerRecord, "entries">): void {
    this.#entries += entries;
    this.#pending.delete(diffId);
    this.#reservations.drop(this.#nameOf(diffId));
  }

  /** Gives up all that is reserved. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#reservations.dropAll();
  }

  #expect({ diffId, size }: LayerSummary, isRemote: boolean): void {
    const progress = createUnpackProgress();
    this.#pending.set(diffId, { stored: size, progress, isUnderWay: false, isRemote });
  }

  async #learnAll(layers: readonly (Layer | RemoteLayer)[]): Promise<void> {
    for (const layer of layers) this.#learn(layer);
    await this.#secure(() => this.#all(), "likely");
  }

  #learn(layer: Layer | RemoteLayer): void {
    const pending = this.#pending.get(layer.diffId);
    if (!pending || !("span" in layer)) return;
    try {
      pending.content = leastContentSize(layer.span);
    } catch {
      // What is wrong with the blob is for unpacking to say.
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#secure(() => this.#underWay(), "least");
    } catch (error) {
      clearInterval(this.#timer);
      if (!this.#isClosed) this.#options.onShortage(error);
    } finally {
      this.#isLooking = false;
    }
  }

  /** What is needed for all that is missing, which leaves to others what they have reserved. */
  #all(): Wants {
    const missing = [...this.#pending].filter(([diffId]) => this.#options.isMissing(diffId));
    const layers = missing.map(([diffId, layer]) => {
      return [this.#nameOf(diffId), this.#needOf(layer)] as const;
    });
    const needs = layers.map(([, need]) => need);
    const remote = missing.flatMap(([, layer]) => {
      return layer.isRemote ? [{ stored: layer.stored, tree: this.#needOf(layer) }] : [];
    });
    const rootfs = assemblyNeed({ needs, entries: this.#entries }, this.#kind);
    return {
      reserved: new Map([...layers, [`the rootfs ${this.#key}`, rootfs]]),
      beside: blobNeed(remote),
      heedsOthers: true,
    };
  }

  /**
   * What is needed for the layers that this process unpacks now. Of others, other processes may
   * have taken the room already.
   */
  #underWay(): Wants {
    const own = [...this.#pending].filter(([, { isUnderWay }]) => isUnderWay);
    const layers = own.map(([diffId, layer]) => {
      return [this.#nameOf(diffId), this.#needOf(layer)] as const;
    });
    const beside = { least: noRoom, likely: noRoom };
    return { reserved: new Map(layers), beside, heedsOthers: false };
  }

  #needOf({ stored, content, progress }: Pending): Need {
    const done = readProgress(progress);
    // What is not read yet holds at least what it is long.
    const rest = Math.floor((stored - done.stored) * worstRatio);
    const least = Math.max(content ?? 0, done.content + rest);
    const need = layerNeed({ stored, content: least }, this.#kind);
    const part = least === 0 ? 1 : done.content / least;
    const used = scaled(need.least, part);
    return {
      least: without(need.least, used),
      likely: without(need.likely, scaled(need.likely, part)),
    };
  }

  /** Has room made for what is wanted, where somebody can, and demands what is needed at least. */
  async #secure(wants: () => Wants, wish: keyof Need): Promise<void> {
    const { makeRoom, reclaimable } = this.#options.maker ?? {};
    const { missing } = this.#compare(wants(), wish);
    if (makeRoom && !isNone(missing)) {
      await makeRoom(missing, this.#compare(wants(), "least").missing);
    }
    let shortage = this.#compare(wants(), "least");
    for (let look = 1; look <= looks && !isNone(shortage.missing); look++) {
      // The first time at once: somebody may have published a layer between the last two looks.
      if (look > 1 && isNone(shortage.reserved)) break;
      if (look > 1) await sleep(lookEvery);
      shortage = this.#compare(wants(), "least");
    }
    if (isNone(shortage.missing)) return;
    const { image, cacheDirectory } = this.#request;
    throw noRoomError({ image, cacheDirectory, ...shortage, reclaimable: reclaimable?.() });
  }

  #compare(
    { reserved, beside, heedsOthers }: Wants,
    wish: keyof Need,
  ): { missing: Room; free: Room; reserved: Room } {
    if (this.#isClosed) return { missing: noRoom, free: noRoom, reserved: noRoom };
    this.#reservations.set([...reserved].map(([what, { least }]) => [what, least]));
    const others = heedsOthers ? this.#reservations.ofOthers() : [];
    const own = [...reserved].map(([what, need]) => {
      return this.#reservations.unlessAhead(what, { room: need[wish], others });
    });
    const free = freeRoom(this.#request.layout.tmp);
    const ofOthers = sumOf(this.#reservations.before(others));
    const missing = without(sumOf([...own, beside[wish], ofOthers]), free);
    return { missing, free, reserved: ofOthers };
  }

  #nameOf(diffId: Digest): string {
    return cacheName(this.#request, diffId);
  }
}

/** What room is needed, by what it is for. */
interface Wants {
  readonly reserved: ReadonlyMap<string, Need>;
  /** What nobody reserves, because it comes and goes. */
  readonly beside: Need;
  /** Whether what others have reserved is theirs. */
  readonly heedsOthers: boolean;
}

function scaled({ bytes, inodes }: Room, factor: number): Room {
  return { bytes: bytes * factor, inodes: Math.floor(inodes * factor) };
}
