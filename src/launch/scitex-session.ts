import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Bind } from "./bind.js";
import type { BindMount } from "./mount.js";
import { type LaunchPlan, type Network, planLaunch, type StagedRootfs } from "./plan.js";

/** A session of one user's in one project, as SciTeX gives them. Paths are of the host. */
export interface SciTeXSession {
  /** Names the home directory, `/home/USERNAME`. */
  readonly username: string;
  /** What the user's home directory is made of. */
  readonly userDirectory: string;
  /** Its directory is mounted at `/home/USERNAME/proj/SLUG`, where the session starts. */
  readonly project: { readonly slug: string; readonly directory: string };
  /** Mounted read-only at `/opt/dev/NAME`, whose `src` comes first where Python looks. */
  readonly devRepos?: readonly { readonly name: string; readonly path: string }[] | undefined;
  readonly hostMounts?: readonly Bind[] | undefined;
  /** Where the host's TeX Live is, `/usr` for instance: what there is of it is mounted there too. */
  readonly texLivePrefix?: string | undefined;
  /** Default: `scitex-cloud`. */
  readonly hostname?: string | undefined;
  /** Default: `host`. */
  readonly network?: Network | undefined;
  /** Added to the session's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: `/bin/bash -l`. */
  readonly command?: readonly string[] | undefined;
  /** Whether there is something at a path of the host where the session will run. */
  readonly exists: (path: string) => boolean;
}

const texLive = {
  share: ["texlive", "texmf-dist"],
  bin: ["pdflatex", "bibtex", "latexmk", "latexdiff", "kpsewhich", "makeindex"],
} as const;

/**
 * Plans a session: everything contained, the user's home directory and project read-write, a root
 * that can be written to until the session ends. Pure, but for what `exists` does.
 * @throws StageError USAGE for names that are no part of a path; NOT_FOUND for directories that are
 * not there, other than TeX Live's
 */
export function planSciTeXSession(staged: StagedRootfs, session: SciTeXSession): LaunchPlan {
  const { username, userDirectory, project, devRepos = [], hostMounts = [], exists } = session;
  const home = `/home/${checkName(username)}`;
  const projectPath = `${home}/proj/${checkName(project.slug)}`;
  const repos = devRepos.map(({ name, path }) => readOnly(path, `/opt/dev/${checkName(name)}`));
  const wanted: readonly Bind[] = [
    { source: userDirectory, target: home, access: "rw" },
    { source: project.directory, target: projectPath, access: "rw" },
    ...repos,
    ...hostMounts,
  ];
  for (const { source } of wanted) if (!exists(source)) throw missing(source);
  const tex = texLivePaths(session.texLivePrefix).filter(exists);
  const network = session.network ?? "host";
  return planLaunch(staged, {
    binds: [...wanted, ...tex.map((path) => readOnly(path, path))],
    env: {
      TERM: "xterm-256color",
      SCITEX_CLOUD: "true",
      SCITEX_PROJECT: project.slug,
      SCITEX_USER: username,
      USER: username,
      LOGNAME: username,
      SHELL: "/bin/bash",
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
      ...(repos.length > 0 && {
        PYTHONPATH: repos.map(({ target }) => `${target}/src`).join(":"),
      }),
      HOME: home,
      ...session.env,
    },
    workingDir: projectPath,
    command: session.command ?? ["/bin/bash", "-l"],
    hostname: session.hostname ?? "scitex-cloud",
    writable: true,
    terminal: true,
    network,
    nameService: network === "host" ? ["/etc/hosts"].filter(exists).map(nameFile) : [],
  });
}

function texLivePaths(prefix: string | undefined): readonly string[] {
  if (!prefix) return [];
  const base = prefix.replace(/\/+$/, "");
  return [
    ...texLive.share.map((name) => `${base}/share/${name}`),
    ...texLive.bin.map((name) => `${base}/bin/${name}`),
  ];
}

function readOnly(source: string, target: string): Bind {
  return { source, target, access: "ro" };
}

function nameFile(path: string): BindMount {
  return { type: "bind", source: path, target: path, access: "ro" };
}

/** @throws StageError USAGE */
function checkName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(name)) return name;
  throw new StageError("USAGE", `"${printable(name)}" can't be part of a path in the session`, {
    hint: "letters, digits, and _ . @ - after the first",
  });
}

function missing(path: string): StageError {
  return new StageError("NOT_FOUND", `there is no ${printable(path)} to mount in the session`, {
    hint: "make it, or leave it out",
  });
}
