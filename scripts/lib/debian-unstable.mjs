// @ts-check
/**
 * Programs that Debian's stable release does not have, or not new enough: those of its unstable
 * branch, with the libraries that they need, unpacked into a directory of their own and told to look
 * for them there.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { probe } from "./run.mjs";
import { ScriptError } from "./script.mjs";

const SOURCE =
  "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main";

/**
 * @typedef {object} Installation
 * @property {string} prefix the directory to unpack into; what it holds is removed
 * @property {string} [home] where the prefix will stand when it is used; the prefix unless given
 * @property {readonly string[]} packages with all that they need: nothing is added to them
 * @property {readonly string[]} programs what will be started, below the prefix; `LIB` stands for the
 *   directory of libraries, `usr/lib/x86_64-linux-gnu` for instance
 */

/**
 * Downloads and unpacks packages. Needs apt and patchelf, but neither root nor a change to the system.
 * Leaves nothing when it fails.
 * @param {Installation} installation
 */
export function installFromUnstable({ prefix, home = prefix, packages, programs }) {
  const apt = `${prefix}.apt`;
  rmSync(prefix, { recursive: true, force: true });
  try {
    download(apt, packages);
    mkdirSync(prefix, { recursive: true });
    for (const name of readdirSync(apt).filter((each) => each.endsWith(".deb"))) {
      must(["dpkg-deb", "--extract", join(apt, name), prefix]);
    }
    const libraries = librariesIn(prefix);
    for (const program of programs) {
      patch(join(prefix, program.replace(/^LIB(?=\/)/, libraries)), join(home, libraries));
    }
  } catch (error) {
    rmSync(prefix, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(apt, { recursive: true, force: true });
  }
}

/**
 * Fetches packages with an apt that knows of nothing but unstable.
 * @param {string} apt a directory for its state and the packages
 * @param {readonly string[]} packages
 */
function download(apt, packages) {
  mkdirSync(join(apt, "lists", "partial"), { recursive: true });
  mkdirSync(join(apt, "cache", "archives", "partial"), { recursive: true });
  writeFileSync(join(apt, "sources.list"), `${SOURCE}\n`);
  writeFileSync(join(apt, "status"), "");
  const settings = {
    "Dir::State": apt,
    "Dir::State::lists": join(apt, "lists"),
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": join(apt, "cache"),
    "Dir::Etc::sourcelist": join(apt, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    // Else, as root, it would fetch as a user who can't write here.
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  must(["apt-get", ...options, "-qq", "update"]);
  must(["apt-get", ...options, "-qq", "download", ...packages], apt);
}

/**
 * The directory that the dynamic loader is in.
 * @param {string} prefix
 */
function librariesIn(prefix) {
  const triplet = readdirSync(join(prefix, "usr", "lib")).find((name) => name.includes("-linux-"));
  if (triplet === undefined) throw new ScriptError(`${prefix} has no libraries: is libc6 missing?`);
  return join("usr", "lib", triplet);
}

/**
 * Has a program use the loader and the libraries of one directory, and its libraries too.
 * @param {string} program
 * @param {string} libraries
 */
function patch(program, libraries) {
  const interpreter = probe(["patchelf", "--print-interpreter", program]).stdout.trim();
  const loader = join(libraries, interpreter.slice(interpreter.lastIndexOf("/") + 1));
  const runPath = ["--force-rpath", "--set-rpath", libraries];
  must(["patchelf", "--set-interpreter", loader, ...runPath, program]);
}

/**
 * @param {[string, ...string[]]} argv
 * @param {string} [cwd]
 */
function must(argv, cwd) {
  const { status, stderr } = probe(argv, cwd === undefined ? {} : { cwd });
  if (status !== 0) {
    const reason = stderr.trim().split("\n").at(-1);
    throw new ScriptError(`${argv[0]} gave status ${status}: ${reason}`);
  }
}
