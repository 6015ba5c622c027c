/** What lines are drawn on. */
export interface Screen {
  readonly write: (text: string) => unknown;
}

const noWrap = "\x1b[?7l";
const wrap = "\x1b[?7h";

/** Lines at the end of a terminal that are drawn anew in their place. */
export class LiveLines {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Draws them instead of those before. */
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join("");
    this.#screen.write(`${this.#back()}${noWrap}${text}${wrap}`);
    this.#drawn = lines.length;
  }

  /** Takes them away, so that something else can be written. */
  clear(): void {
    this.#screen.write(this.#back());
    this.#drawn = 0;
  }

  /** To where the first line began, with all below gone. */
  #back(): string {
    return this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A\r\x1b[0J`;
  }
}
