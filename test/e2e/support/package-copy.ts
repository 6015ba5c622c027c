import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { array, object, optional, parse, record, string } from "valibot";

const packageFileSchema = object({
  files: optional(array(string()), []),
  dependencies: optional(record(string(), string()), {}),
  optionalDependencies: optional(record(string(), string()), {}),
});

const readPackageFile = (dir: string) =>
  parse(packageFileSchema, JSON.parse(readFileSync(join(dir, "package.json"), "utf8")));

/**
 * Copies a package as npm would install it for a user: the files it ships and all that its
 * production dependencies need, at the places where they are found. Readable by everybody.
 */
export async function copyPackageAsShipped(projectDir: string, target: string): Promise<void> {
  for (const name of ["package.json", ...readPackageFile(projectDir).files]) {
    copyIfPresent(join(projectDir, name), join(target, name));
  }
  for (const dir of productionDependencies(projectDir)) {
    copyIfPresent(dir, join(target, relative(projectDir, dir)));
  }
  await execa("chmod", ["-R", "a+rX,go-w", target]);
}

function copyIfPresent(from: string, to: string): void {
  if (existsSync(from)) {
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** The directories of all packages that the production code of a project can import. */
function productionDependencies(projectDir: string): Set<string> {
  const found = new Set<string>();
  const visit = (dir: string): void => {
    const { dependencies, optionalDependencies } = readPackageFile(dir);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const dependency = locate(name, dir, projectDir);
      if (dependency === undefined) {
        if (!(name in optionalDependencies)) {
          throw new Error(`${name}, which ${dir} needs, is not installed: run npm install.`);
        }
      } else if (!found.has(dependency)) {
        found.add(dependency);
        visit(dependency);
      }
    }
  };
  visit(projectDir);
  return found;
}

/** Node's rule for bare imports: the nearest node_modules upwards that has the package. */
function locate(name: string, from: string, projectDir: string): string | undefined {
  const candidate = join(from, "node_modules", name);
  if (existsSync(join(candidate, "package.json"))) {
    return candidate;
  }
  return from === projectDir ? undefined : locate(name, dirname(from), projectDir);
}
