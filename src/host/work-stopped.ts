/** Thrown by whoever waits for another thread when the work was given up, there or elsewhere. */
export class WorkStopped extends Error {
  override readonly name = "WorkStopped";
}
