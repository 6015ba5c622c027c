// @ts-check
/** What is in the demo image: three layers, of which the last changes what the second brought. */
import { hostPrograms, IMAGE_PATH } from "./host-programs.mjs";

/**
 * @typedef {object} DemoLayer
 * @property {string} createdBy goes into the image's history
 * @property {import("./host-tree.mjs").Tree} tree
 */

/** The image's own settings, as in an OCI image config's `config`. */
export const DEMO_CONFIG = {
  Env: [`PATH=${IMAGE_PATH}`, "DEMO=set by the image's Env"],
  Cmd: ["/bin/sh", "tour.sh"],
  WorkingDir: "/demo",
};

const OS_RELEASE = `ID=stage-rootfs-demo
NAME="stage-rootfs demo"
PRETTY_NAME="stage-rootfs demo image"
`;

/** Shows, from the inside, what the sandbox is made of. */
const TOUR = `show() {
  printf '  %-20s %s\\n' "$1" "$2"
}
. /etc/os-release
show 'system' "$PRETTY_NAME"
show 'kernel' "$(uname -sr)"
show 'user' "$(id)"
show 'environment' "DEMO is $DEMO"
show 'working directory' "$(pwd)"
show 'greeting.txt' "$(cat greeting.txt)"
if [ -e draft.txt ]; then
  show 'draft.txt' 'still there, although the third layer deletes it'
  exit 1
fi
show 'draft.txt' 'gone: the third layer deletes it'
if refusal=$(touch /demo/new 2>&1); then
  show 'writing to the root' 'possible, although it should not be'
  exit 1
fi
show 'writing to the root' "refused: $refusal"
touch /tmp/new && show 'writing to /tmp' 'works: it is fresh, and nobody else sees it'
`;

/** @returns {readonly DemoLayer[]} lowest first */
export function demoLayers() {
  return [
    { createdBy: "this machine's programs and their libraries", tree: hostPrograms() },
    {
      createdBy: "a system's name, its users, and some files",
      tree: new Map([
        ["demo", directory()],
        ["demo/draft.txt", file("The second layer brings this file.\n")],
        ["demo/greeting.txt", file("hello from the second layer\n")],
        ["demo/tour.sh", file(TOUR)],
        ["etc", directory()],
        ["etc/group", file("root:x:0:\nnogroup:x:65534:\n")],
        ["etc/os-release", file(OS_RELEASE)],
        ["etc/passwd", file("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")],
      ]),
    },
    {
      createdBy: "replaces greeting.txt, deletes draft.txt",
      tree: new Map([
        ["demo", directory()],
        ["demo/.wh.draft.txt", file("")],
        ["demo/greeting.txt", file("hello from the third layer, which replaces the second's\n")],
      ]),
    },
  ];
}

/** @returns {import("./host-tree.mjs").TreeEntry} */
function directory() {
  return { type: "directory" };
}

/**
 * @param {string} text
 * @returns {import("./host-tree.mjs").TreeEntry}
 */
function file(text) {
  return { type: "file", mode: 0o644, content: Buffer.from(text) };
}
