import { describe, expect, test } from "vitest";
import { parseAssignment } from "../../src/launch/environment.js";
import { apptainerCommand } from "../../src/launch/runtimes/apptainer.js";
import { capabilitiesOut } from "../../src/launch/runtimes/capabilities-out.js";
import { planSciTeXSession, type SciTeXSession } from "../../src/launch/scitex-session.js";
import { refusal } from "../support/refusal.js";

const rootfs = "/cache/v1/rootfs/sha256-1/rootfs";
const config = { env: ["PATH=/image"], entrypoint: null, cmd: null, workingDir: "/image" };
const staged = { rootfs, singularity: "/cache/singularity.d", config, mountPoints: [] };

const session: SciTeXSession = {
  username: "alice",
  userDirectory: "/data/users/alice",
  project: { slug: "my-project", directory: "/data/users/alice/proj/my-project" },
  devRepos: [
    { name: "figrecipe", path: "/src/figrecipe" },
    { name: "scitex", path: "/src/scitex" },
  ],
  hostMounts: [
    { source: "/opt/matlab", target: "/opt/matlab", access: "ro" },
    { source: "/scratch", target: "/scratch", access: "rw" },
  ],
  texLivePrefix: "/usr/",
  exists: () => true,
};

/** What SciTeX's own command builder makes of the same session. */
const scitex = [
  ...["apptainer", "exec", "--containall", "--cleanenv", "--writable-tmpfs"],
  ...["--hostname", "scitex-cloud", "--env", "TERM=xterm-256color", "--env", "SCITEX_CLOUD=true"],
  ...["--env", "SCITEX_PROJECT=my-project", "--env", "SCITEX_USER=alice", "--env", "USER=alice"],
  ...["--env", "LOGNAME=alice", "--env", "SHELL=/bin/bash"],
  ...["--env", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"],
  ...["--env", "PYTHONPATH=/opt/dev/figrecipe/src:/opt/dev/scitex/src"],
  ...["--home", "/data/users/alice:/home/alice"],
  ...["--bind", "/data/users/alice/proj/my-project:/home/alice/proj/my-project:rw"],
  ...["--bind", "/src/figrecipe:/opt/dev/figrecipe:ro", "--bind", "/src/scitex:/opt/dev/scitex:ro"],
  ...["--bind", "/opt/matlab:/opt/matlab:ro", "--bind", "/scratch:/scratch:rw"],
  ...["--bind", "/usr/share/texlive:/usr/share/texlive:ro"],
  ...["--bind", "/usr/share/texmf-dist:/usr/share/texmf-dist:ro"],
  ...["--bind", "/usr/bin/pdflatex:/usr/bin/pdflatex:ro"],
  ...["--bind", "/usr/bin/bibtex:/usr/bin/bibtex:ro"],
  ...["--bind", "/usr/bin/latexmk:/usr/bin/latexmk:ro"],
  ...["--bind", "/usr/bin/latexdiff:/usr/bin/latexdiff:ro"],
  ...["--bind", "/usr/bin/kpsewhich:/usr/bin/kpsewhich:ro"],
  ...["--bind", "/usr/bin/makeindex:/usr/bin/makeindex:ro"],
  ...["--pwd", "/home/alice/proj/my-project", rootfs],
];

/** What is added to SciTeX's line, and why. */
const additions: readonly { words: readonly string[]; before: string; why: string }[] = [
  { words: ["--quiet"], before: "exec", why: "only warnings and errors reach the terminal" },
  { words: ["--no-eval"], before: "--writable-tmpfs", why: "no value is evaluated by a shell" },
  { words: ["--userns"], before: "--writable-tmpfs", why: "root is not the host's root inside" },
  {
    words: ["--no-mount", "sys,bind-paths"],
    before: "--writable-tmpfs",
    why: "a site's own binds are no part of a session, nor is /sys",
  },
  {
    words: ["--drop-caps", capabilitiesOut.join(",")],
    before: "--home",
    why: "root could mount read-only binds anew, writable",
  },
  {
    words: ["--bind", "/cache/singularity.d:/.singularity.d:ro"],
    before: "--bind",
    why: "a rootfs from a registry does not have it, and instances need it",
  },
  {
    words: ["--bind", "/etc/hosts:/etc/hosts:ro"],
    before: "--bind",
    why: "a site's binds are left out, of which it is one",
  },
  { words: ["--scratch", "/run"], before: "--bind", why: "/run is fresh, as in all sandboxes" },
];

/** SciTeX's variables, which stand on its command line. */
function variablesOf(argv: readonly string[]): Readonly<Record<string, string>> {
  const pairs = argv.filter((_, i) => argv[i - 1] === "--env").map(parseAssignment);
  return Object.fromEntries(pairs.map(([name, value]) => [`APPTAINERENV_${name}`, value]));
}

/** An argv in pieces: an option with its value, or a word. */
function pieces(argv: readonly string[]): readonly string[] {
  const text = argv.join("\n").replaceAll(/\n(?!-)(?=[^\n]*(:|\/|cloud|,))/g, " ");
  return text.split("\n");
}

describe("a session", () => {
  const command = apptainerCommand(planSciTeXSession(staged, session), {
    name: "apptainer",
    program: "apptainer",
    caller: { uid: 1000, gid: 1000 },
  });
  const flags = command.argv.slice(0, command.argv.indexOf(rootfs) + 1);

  test("is what SciTeX makes of it, with the same options in the same order", () => {
    const expected: string[] = scitex.filter(
      (word, i) => word !== "--env" && scitex[i - 1] !== "--env",
    );
    const inserted = new Map<string, number>();
    for (const { words, before } of additions) {
      const at = inserted.get(before) ?? expected.indexOf(before);
      expected.splice(at, 0, ...words);
      for (const [key, i] of inserted) if (i >= at) inserted.set(key, i + words.length);
      inserted.set(before, at + words.length);
    }
    const isBind = (piece: string) => piece.startsWith("--bind");
    expect(pieces(flags).filter((piece) => !isBind(piece))).toEqual(
      pieces(expected).filter((piece) => !isBind(piece)),
    );
    // A mount never hides what was mounted below it before: parents come first.
    expect(pieces(flags).filter(isBind).sort()).toEqual(pieces(expected).filter(isBind).sort());
    const depths = pieces(flags)
      .filter(isBind)
      .slice(2)
      .map((piece) => piece.split(":")[1]?.split("/").length ?? 0);
    expect(depths).toEqual(depths.toSorted((a, b) => a - b));
  });

  test("has SciTeX's variables, in the environment and not on the command line", () => {
    const { PATH: _, ...variables } = command.env;
    expect(variables).toEqual(variablesOf(scitex));
  });

  test("runs a login shell, or what it is told, and knows variables of its caller's", () => {
    expect(command.argv.slice(flags.length)).toEqual(["/bin/bash", "-l"]);
    const plan = planSciTeXSession(staged, {
      ...session,
      command: ["jupyter"],
      env: { A: "x,y=z" },
    });
    expect(plan.argv).toEqual(["jupyter"]);
    expect(plan.env).toMatchObject({ A: "x,y=z", HOME: "/home/alice" });
  });
});

describe("what is not there", () => {
  function planWith(absent: (path: string) => boolean) {
    return planSciTeXSession(staged, { ...session, exists: (path) => !absent(path) });
  }

  test("of TeX Live is left out", () => {
    const plan = planWith((path) => path.startsWith("/usr/bin/latex") || path.includes("texmf"));
    const tex = plan.mounts.flatMap((mount) =>
      mount.type === "bind" && mount.target.startsWith("/usr") ? [mount.source] : [],
    );
    expect(tex).toEqual([
      ...["/usr/share/texlive", "/usr/bin/pdflatex", "/usr/bin/bibtex"],
      ...["/usr/bin/kpsewhich", "/usr/bin/makeindex"],
    ]);
  });

  test.each(["/data/users/alice", "/data/users/alice/proj/my-project", "/src/scitex", "/scratch"])(
    "of directories is an error that names it: %s",
    (path) => {
      const error = refusal(() => planWith((each) => each === path));
      expect(error.code).toBe("NOT_FOUND");
      expect(error.message).toContain(`${path} `);
    },
  );
});

test("without repositories and TeX Live there is nothing of them", () => {
  const { texLivePrefix: _, devRepos: __, hostMounts: ___, ...plain } = session;
  const plan = planSciTeXSession(staged, { ...plain, network: "none" });
  expect(plan.env["PYTHONPATH"]).toBeUndefined();
  expect(plan.mounts.filter(({ type }) => type === "bind")).toHaveLength(2);
  expect(plan.nameService).toEqual([]);
});

test.each(["", "..", "a/b", "-x", "a:b", "a b", ".x", "a\n"])("a name is not %j", (name) => {
  const wrong: readonly Partial<SciTeXSession>[] = [
    { username: name },
    { project: { slug: name, directory: "/p" } },
    { devRepos: [{ name, path: "/p" }] },
  ];
  for (const part of wrong) {
    expect(refusal(() => planSciTeXSession(staged, { ...session, ...part })).code).toBe("USAGE");
  }
});
