import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { errnoOf } from "../errors.js";

/** Where programs are looked for beside $PATH, which a Slurm prolog may not have. */
const usualPlaces = ["/usr/local/bin", "/usr/bin", "/bin"];

/** The absolute path of an executable, found as a shell would. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const directories = [...(path ?? "").split(delimiter), ...usualPlaces];
  for (const directory of directories) {
    // A relative entry would make the answer depend on where the user stands.
    if (directory.startsWith("/") && isExecutable(join(directory, name))) {
      return join(directory, name);
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
