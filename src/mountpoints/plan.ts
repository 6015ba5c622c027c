import { StageError } from "../errors.js";
import { type ByteString, bytesOfText, displayPath } from "../host/byte-string.js";
import { join, parentOf } from "../host/rooted-tree.js";
import type { MountKind, MountPoint, MountRequest } from "./mount-point.js";

/** What stands at a path of a rootfs, the last component not followed. */
export type Standing =
  | { readonly kind: "missing" | MountKind }
  | { readonly kind: "symlink"; readonly target: ByteString };

/** One thing to do in a rootfs, at a path with all links resolved; to be done in order. */
export interface Step {
  readonly action: "make directory" | "make file" | "remove";
  readonly path: ByteString;
}

/** A place that has another kind than the one that is wanted. */
export interface Clash {
  /** The path with all links resolved. */
  readonly path: string;
  readonly wanted: MountKind;
}

export interface MountPlan {
  /** As if all clashes were places that may be replaced: with a clash nothing may be done. */
  readonly steps: readonly Step[];
  readonly mountPoints: readonly MountPoint[];
  readonly clashes: readonly Clash[];
}

export interface PlanOptions {
  /** Looks at the rootfs; paths are relative to it and hold no links but the last component. */
  readonly look: (path: ByteString) => Standing;
  /** Places whose kind may be changed; a clash elsewhere is only reported. */
  readonly mayReplace: (clash: Clash) => boolean;
}

const linkLimit = 40;

/**
 * Plans how a rootfs gets the mount points that are asked for. Each target is resolved inside the
 * rootfs, links and all; a dangling link gives way to the real thing.
 * @param requests with targets as {@link checkMountTarget} gives them
 * @throws StageError USAGE for requests that exclude each other
 */
export function planMountPoints(
  requests: readonly MountRequest[],
  options: PlanOptions,
): MountPlan {
  const planner = new Planner(options);
  for (const request of sorted(requests)) planner.add(request);
  return planner.plan();
}

/** What has a kind before what takes any; parents before what lies below them. */
function sorted(requests: readonly MountRequest[]): readonly MountRequest[] {
  const rank = ({ target, kind }: MountRequest) => `${kind === "any" ? 1 : 0}${target}`;
  return [...requests].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

interface Place {
  /** Resolved, relative to the rootfs. */
  readonly path: ByteString;
  readonly standing: Standing;
}

class Planner {
  readonly #options: PlanOptions;
  readonly #planned = new Map<ByteString, MountKind>();
  /** What each place has to be for the requests so far. */
  readonly #claims = new Map<ByteString, MountKind>();
  readonly #steps: Step[] = [];
  readonly #mountPoints = new Map<string, MountPoint>();
  readonly #clashes: Clash[] = [];

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  add({ target, kind }: MountRequest): void {
    const { path, standing } = this.#resolve(target);
    const wanted = kind === "any" ? (this.#claims.get(path) ?? anyKind(standing)) : kind;
    for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
      this.#claim(above, { wanted: "dir", target });
    }
    const created = this.#ensure(path, { wanted, standing, target });
    this.#mountPoints.set(target, { target, path: textOf(path), kind: wanted, created });
  }

  plan(): MountPlan {
    return {
      steps: this.#steps,
      mountPoints: [...this.#mountPoints.values()],
      clashes: this.#clashes,
    };
  }

  /** @throws StageError USAGE when another request needs the place to be of another kind */
  #claim(path: ByteString, { wanted, target }: { wanted: MountKind; target: string }): void {
    const claimed = this.#claims.get(path) ?? wanted;
    if (claimed !== wanted) throw excluded(target, { path, wanted });
    this.#claims.set(path, wanted);
  }

  /** Makes sure that `path` has the kind that is wanted; says whether it had to be made. */
  #ensure(
    path: ByteString,
    place: { wanted: MountKind; standing: Standing; target: string },
  ): boolean {
    const { wanted, standing, target } = place;
    this.#claim(path, { wanted, target });
    if (standing.kind === wanted) return this.#planned.has(path);
    const clash = { path: textOf(path), wanted };
    const isOfOtherKind = standing.kind === "dir" || standing.kind === "file";
    if (isOfOtherKind && !this.#options.mayReplace(clash)) this.#clashes.push(clash);
    if (standing.kind !== "missing") this.#steps.push({ action: "remove", path });
    this.#steps.push({ action: wanted === "dir" ? "make directory" : "make file", path });
    this.#planned.set(path, wanted);
    return true;
  }

  /** Where `target` leads, with the directories on the way planned. */
  #resolve(target: string): Place {
    let place: Place = { path: "", standing: { kind: "dir" } };
    const names = bytesOfText(target).split("/").filter(Boolean);
    names.forEach((name, i) => {
      const { path, standing } = place;
      // What is walked through has to be a directory.
      if (path !== "") this.#ensure(path, { wanted: "dir", standing, target });
      const next = join(path, name);
      const found = this.#look(next);
      const end = found.kind === "symlink" ? this.#follow(next, { links: linkLimit }) : undefined;
      // The root itself can't be mounted on; a link to it at the end is one that leads nowhere.
      const isUsable = end && (end.path !== "" || i < names.length - 1);
      place = isUsable ? end : { path: next, standing: found };
    });
    return place;
  }

  /**
   * Where the link at `path` leads inside the rootfs.
   * @param budget how many more links may be followed, shared by all steps of the way
   * @returns undefined for a link that dangles or goes round in circles
   */
  #follow(path: ByteString, budget: { links: number }): Place | undefined {
    const link = this.#look(path);
    if (link.kind !== "symlink" || --budget.links < 0) return undefined;
    const start = link.target.startsWith("/") ? "" : parentOf(path);
    let place: Place = { path: start, standing: { kind: "dir" } };
    for (const name of link.target.split("/")) {
      if (name === "" || name === ".") continue;
      if (place.standing.kind !== "dir") return undefined;
      if (name === "..") {
        place = { path: parentOf(place.path), standing: { kind: "dir" } };
        continue;
      }
      const next = join(place.path, name);
      const found = this.#look(next);
      if (found.kind === "missing") return undefined;
      const end = found.kind === "symlink" ? this.#follow(next, budget) : undefined;
      if (found.kind === "symlink" && !end) return undefined;
      place = end ?? { path: next, standing: found };
    }
    return place;
  }

  #look(path: ByteString): Standing {
    const planned = this.#planned.get(path);
    if (planned) return { kind: planned };
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      // Nothing of the image is below what was made anew.
      if (this.#planned.has(path.slice(0, end))) return { kind: "missing" };
    }
    return this.#options.look(path);
  }
}

function anyKind(standing: Standing): MountKind {
  return standing.kind === "file" ? "file" : "dir";
}

/** Runtimes are given their mounts as text. */
function textOf(path: ByteString): string {
  try {
    return `/${new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(path, "latin1"))}`;
  } catch (cause) {
    throw new StageError(
      "IMAGE_UNSUPPORTED",
      `a mount target leads to /${displayPath(path)}, whose name is not UTF-8`,
      { cause },
    );
  }
}

function excluded(
  target: string,
  { path, wanted }: { path: ByteString; wanted: MountKind },
): StageError {
  const [kind, other] = wanted === "dir" ? ["a directory", "a file"] : ["a file", "a directory"];
  const place = `/${displayPath(path)}`;
  return new StageError(
    "USAGE",
    `the mount target ${displayPath(bytesOfText(target))} needs ${place} to be ${kind}, but another one needs ${other} there`,
    { hint: "choose other targets" },
  );
}
