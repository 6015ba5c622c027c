import { assembleAsTheyCome } from "../../extract/assemble-rootfs.js";
import type { LayerRecord } from "../../extract/layer-record.js";
import { ListedDisk } from "../../extract/listing/listed-disk.js";
import type { ListedDirectory } from "../../extract/listing/listed-node.js";
import { ListedTree } from "../../extract/listing/listed-tree.js";
import { bytesOfText } from "../../host/byte-string.js";
import { parentOf } from "../../host/rooted-tree.js";
import { modeOfMade, type PlaceToMake } from "../../mountpoints/create.js";
import type { MountPoint } from "../../mountpoints/mount-point.js";

/** A layer, by what is on record of it. */
export interface ListedLayer {
  readonly record: LayerRecord;
  readonly listed: ListedDirectory;
}

export interface ExpectedRootfs {
  /** The base layer first; one that comes twice is the same object. */
  readonly layers: readonly ListedLayer[];
  readonly mountPoints: readonly MountPoint[];
  /** What was made beside them. */
  readonly places: readonly PlaceToMake[];
  /** Whose all is that gets no owner of the image's. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Whether nobody else may write to what was made to be mounted on. */
  readonly isOwnersOnly: boolean;
}

/** What an image's rootfs has to look like: put together from listings by the code that stages. */
export async function expectedRootfs(image: ExpectedRootfs): Promise<ListedDirectory> {
  const { layers, mountPoints, places, owner, isOwnersOnly } = image;
  const disk = new ListedDisk(owner);
  const names = new Map<ListedLayer, string>();
  for (const layer of layers) {
    if (names.has(layer)) continue;
    names.set(layer, `layer-${names.size}`);
    disk.add(names.get(layer) ?? "", layer.listed);
  }
  for (const name of ["rootfs", "scratch"]) disk.add(name);
  const inOrder = async function* () {
    for (const layer of layers) yield { tree: names.get(layer) ?? "", record: layer.record };
  };
  await assembleAsTheyCome(inOrder(), { rootfs: "rootfs", scratch: "scratch", disk });
  const tree = new ListedTree(owner, disk.tree("rootfs"));
  for (const point of mountPoints)
    if (point.created) addMountPoint(tree, { point, owner, isOwnersOnly });
  for (const place of places) addPlace(tree, { place, owner });
  return tree.root;
}

/** As `createMountPoints` makes it: what was made has the time of the directory that it is in. */
function addMountPoint(
  tree: ListedTree,
  made: Pick<ExpectedRootfs, "owner" | "isOwnersOnly"> & { point: MountPoint },
): void {
  const { point, owner, isOwnersOnly } = made;
  const path = bytesOfText(point.path).slice(1);
  const names = path.split("/");
  for (let i = 1; i <= names.length; i++) {
    const at = names.slice(0, i).join("/");
    const kind = i < names.length ? "dir" : point.kind;
    const standing = tree.get(at);
    if (standing?.kind === (kind === "dir" ? "directory" : "file")) continue;
    const { mtime } = tree.get(parentOf(at)) ?? tree.root;
    const mode = modeOfMade(at, { kind, isOwnersOnly });
    addPlace(tree, { place: { path: at, kind, mode, mtime }, owner });
  }
}

function addPlace(
  tree: ListedTree,
  { place, owner }: Pick<ExpectedRootfs, "owner"> & { place: PlaceToMake },
): void {
  const { path, kind, mode, mtime } = place;
  const metadata = { ...owner, mode, mtime };
  if (kind === "dir") {
    tree.remove(path);
    tree.putDirectory(path, metadata);
  } else {
    tree.put(path, { kind: "file", tree: undefined, ...metadata, size: 0, digest: undefined });
  }
}
