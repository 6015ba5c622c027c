// @ts-check
/** Which layer of the Debian image a package goes to: pure rules, apart from reading and writing. */

/** The packages of the layers above the base layer; the first match counts. */
const GROUPS = [
  /^(binutils|cpp|g\+\+|gcc|libasan|libbinutils|libgcc|libstdc|libtsan|libubsan)/,
  /^(gdb|libpython|python)/,
  /^(git|libperl|perl)/,
  /^/,
];

/** How many layers there are; the first also has all that belongs to no package. */
export const LAYERS = GROUPS.length + 1;

/**
 * The layer of each package, from 0, the base layer.
 * @param {string} status dpkg's database, a paragraph for each package
 * @returns {Map<string, number>} by the packages' names
 */
export function layersOfPackages(status) {
  const packages = status.split("\n\n").map((paragraph) => {
    const field = (/** @type {string} */ name) =>
      new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1] ?? "";
    const name = field("Package");
    const isBase = /^(required|important)$/.test(field("Priority"));
    const layer = isBase ? 0 : GROUPS.findIndex((group) => group.test(name)) + 1;
    return /** @type {const} */ ([name, layer]);
  });
  return new Map(packages.filter(([name]) => name !== ""));
}

/**
 * The paths that a package's list in dpkg's database names, as they are in a system whose `/bin`,
 * `/lib` and `/sbin` are links into `/usr`.
 * @param {string} list
 * @returns {readonly string[]} without a leading slash
 */
export function pathsOf(list) {
  return list
    .split("\n")
    .map((line) => line.slice(1))
    .filter((path) => path !== "" && path !== ".")
    .map((path) => (/^(bin|sbin|lib|lib32|lib64|libx32)\//.test(path) ? `usr/${path}` : path));
}
