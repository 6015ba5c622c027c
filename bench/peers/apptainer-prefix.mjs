// @ts-check
/**
 * Apptainer on a Debian that has no package of it: the one of Debian's unstable branch, with the
 * libraries that it needs, unpacked into a directory of its own and told to look for them there.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WORK } from "../../scripts/lib/paths.mjs";
import { probe } from "../../scripts/lib/run.mjs";
import { say } from "../../scripts/lib/say.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";

export const APPTAINER_PREFIX = join(WORK, "bench", "apptainer");

const PACKAGES = ["apptainer", "libc6", "libseccomp2", "libsqlite3-0"];
const SOURCE =
  "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main";

/** Downloads and unpacks it. Needs apt and patchelf, but neither root nor a change to the system. */
export function installApptainerPrefix() {
  say(`Unpacking Apptainer from Debian's unstable branch into ${APPTAINER_PREFIX} …`);
  const apt = join(WORK, "bench", "apt");
  const prefix = APPTAINER_PREFIX;
  rmSync(prefix, { recursive: true, force: true });
  try {
    download(apt);
    mkdirSync(prefix, { recursive: true });
    for (const name of readdirSync(apt).filter((each) => each.endsWith(".deb"))) {
      must(["dpkg-deb", "--extract", join(apt, name), prefix]);
    }
    patch(prefix);
  } catch (error) {
    rmSync(prefix, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(apt, { recursive: true, force: true });
  }
}

/**
 * Fetches the packages with an apt that knows of nothing but unstable.
 * @param {string} apt a directory for its state and the packages
 */
function download(apt) {
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
  must(["apt-get", ...options, "-qq", "download", ...PACKAGES], apt);
}

/** @param {string} prefix */
function patch(prefix) {
  const lib = join(prefix, "usr", "lib");
  const triplet = readdirSync(lib).find((name) => name.includes("-linux-"));
  const libraries = join(lib, triplet ?? "");
  const loader = readdirSync(libraries).find((name) => name.startsWith("ld-linux"));
  for (const program of [
    join(prefix, "usr", "bin", "apptainer"),
    join(libraries, "apptainer", "bin", "starter"),
  ]) {
    const interpreter = ["--set-interpreter", join(libraries, loader ?? "")];
    must(["patchelf", ...interpreter, "--force-rpath", "--set-rpath", libraries, program]);
  }
  // It looks for its settings below the directories that its programs are in.
  for (const base of [join(prefix, "usr"), lib]) {
    cpSync(join(prefix, "etc", "apptainer"), join(base, "etc", "apptainer"), { recursive: true });
  }
  mkdirSync(join(lib, "var", "lib", "apptainer", "mnt", "session"), { recursive: true });
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
