import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** What is longer is cut, in characters. */
export const longestLine: number = 1 << 20;

/**
 * Tells each line that a stream brings, without its end, until the stream ends or is destroyed. Of a
 * line longer than {@link longestLine} only so much is kept, however long it goes on.
 */
export async function eachLine(stream: Readable, tell: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let line = "";
  const take = (text: string) => {
    line += text.slice(0, Math.max(0, longestLine + 1 - line.length));
  };
  const end = () => {
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    line = "";
    tell(whole);
  };
  stream.on("data", (chunk: Buffer) => {
    const [first = "", ...others] = decoder.write(chunk).split("\n");
    take(first);
    for (const text of others) {
      end();
      take(text);
    }
  });
  stream.once("end", () => {
    take(decoder.end());
    if (line !== "") end();
  });
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}
