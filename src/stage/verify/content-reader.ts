import type { ContentToCheck } from "../../extract/check/check-tree.js";
import type { TreeFinding } from "../../extract/check/finding.js";
import type { InodeBook } from "../../extract/check/inode-book.js";
import { digestText } from "../../extract/listing/content-digest.js";
import type { Workers } from "../../extract/workers.js";
import type { Checked } from "./result.js";
import type { SampleChoice } from "./sample-choice.js";

/** What goes to a thread at once: at most so many files, or bytes. */
const batchFiles = 128;
const batchBytes = 16 * 1024 * 1024;

export interface ContentReaderOptions {
  readonly workers: Pick<Workers, "digest">;
  /** How many batches are read side by side. */
  readonly atOnce: number;
  readonly choice: SampleChoice | undefined;
  readonly checked: Checked;
  readonly book: InodeBook;
}

/** Has the content of one tree's files read by threads, so many at a time that memory stays flat. */
export class ContentReader {
  readonly #root: string;
  readonly #options: ContentReaderOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #findings: TreeFinding[] = [];
  #batch: ContentToCheck[] = [];
  #bytes = 0;

  constructor(root: string, options: ContentReaderOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** Takes a file; resolves when there is room for the next. @throws what the threads throw */
  async add(content: ContentToCheck): Promise<void> {
    const { file } = content;
    const { choice, checked, atOnce } = this.#options;
    if (!file.digest) {
      if (file.tree !== undefined) checked.withoutDigest++;
      return;
    }
    if (choice && !choice.next()) return;
    this.#batch.push(content);
    this.#bytes += file.size;
    if (this.#batch.length < batchFiles && this.#bytes < batchBytes) return;
    this.#send();
    while (this.#underWay.size >= atOnce) await Promise.race(this.#underWay);
  }

  /** What was found in all files that were taken. @throws what the threads throw */
  async finish(): Promise<readonly TreeFinding[]> {
    this.#send();
    await Promise.all(this.#underWay);
    return this.#findings;
  }

  #send(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    const work = this.#read(batch).finally(() => this.#underWay.delete(work));
    // Looked at by whoever waits next.
    work.catch(() => undefined);
    this.#underWay.add(work);
  }

  async #read(batch: readonly ContentToCheck[]): Promise<void> {
    const files = batch.flatMap(({ path, file: { digest } }) => {
      return digest ? [{ path, algorithm: digest.algorithm }] : [];
    });
    const read = await this.#options.workers.digest({ root: this.#root, files });
    for (const [i, { path, file }] of batch.entries()) {
      const outcome = read[i];
      if (!outcome || !file.digest) throw new TypeError("nothing was said of a file");
      if ("digest" in outcome) {
        this.#options.checked.files++;
        this.#options.checked.bytes += file.size;
        if (outcome.digest === digestText(file.digest)) continue;
        this.#options.book.doubt(file);
        this.#findings.push({ code: "CONTENT", path, message: "content differs" });
      } else this.#failed(path, outcome.errno);
    }
  }

  #failed(path: string, errno: string): void {
    if (errno === "EACCES" || errno === "EPERM") this.#options.checked.unreadable++;
    else if (errno === "ENOENT") {
      this.#findings.push({ code: "MISSING", path, message: "is missing" });
    } else this.#findings.push({ code: "CONTENT", path, message: `can't be read: ${errno}` });
  }
}
