import { errnoOf } from "../errors.js";

/**
 * Does work whose failing with one of these errno codes is as good as its success.
 * @returns whether it succeeded
 */
export function ignoring(errnos: readonly string[], work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!errnos.includes(errnoOf(error) ?? "")) throw error;
    return false;
  }
}
