import { type ContentDigester, contentDigester } from "./content-digest.js";
import { GrowingFile } from "./growing-file.js";
import { digestsFile, type ListingPlace } from "./listing.js";

/** Writes down the digests of a layer's files, in the order in which they are filled. */
export class DigestLog {
  readonly #digester: ContentDigester;
  readonly #file: GrowingFile;
  #isWithin = false;

  private constructor(digester: ContentDigester, file: GrowingFile) {
    this.#digester = digester;
    this.#file = file;
  }

  /** @returns undefined where none are wanted */
  static open(place: ListingPlace | undefined): DigestLog | undefined {
    if (!place || place.digests === "none") return undefined;
    const { directory, digests } = place;
    return new DigestLog(contentDigester(digests), new GrowingFile(digestsFile(directory)));
  }

  /** Takes a file's next bytes. @param isLast whether the file ends with them */
  add(bytes: Buffer, { isLast }: { isLast: boolean }): void {
    if (isLast && !this.#isWithin) {
      this.#file.addBytes(this.#digester.whole(bytes));
      return;
    }
    this.#digester.add(bytes);
    this.#isWithin = !isLast;
    if (isLast) this.#file.addBytes(this.#digester.end());
  }

  /** @returns SHA-256 of all that was written down, in hex */
  finish(): string {
    return this.#file.finish();
  }

  /** Gives it up, or does nothing where it is finished. */
  close(): void {
    this.#file.close();
  }
}
