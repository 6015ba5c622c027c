/** A piece of work and when a thread did it. */
export interface TraceSpan {
  /** What was done: `resolve`, `decompress`, `verify`, `unpack`, `write`, `link`, `publish`, … */
  readonly name: string;
  /** By the clock of `now()`, in milliseconds; the threads of a process share it. */
  readonly start: number;
  readonly end: number;
  /** Number of the thread; 0 for the main one. */
  readonly thread: number;
  /** What it was done to. */
  readonly details: Readonly<Record<string, string | number>>;
}

export type Tracer = (span: TraceSpan) => void;
