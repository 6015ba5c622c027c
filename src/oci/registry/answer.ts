import * as v from "valibot";
import { StageError } from "../../errors.js";

/** What a server answered; its body is yet to be read, or to be given up. */
export interface Answer {
  readonly status: number;
  /** By name in lower case; the first of several of one name. */
  readonly header: (name: string) => string | undefined;
  /** All of one name. */
  readonly headers: (name: string) => readonly string[];
  readonly body: AnswerBody;
  /** Where it came from in the end, for messages. */
  readonly origin: string;
}

export interface AnswerBody extends AsyncIterable<Buffer> {
  destroy(): void;
}

/**
 * All of a body.
 * @param options.most bytes at most; what is longer is an error
 * @throws StageError LIMIT_DOCUMENT; errors of the connection
 */
export async function readBody(
  { body }: Answer,
  { most, what }: { most: number; what: string },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > most) {
      throw new StageError("LIMIT_DOCUMENT", `${what} is longer than ${most} bytes`, {
        hint: "raise the limit with --max-document, if the image can be trusted",
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const errorsSchema = v.object({ errors: v.array(v.object({ code: v.string() })) });

/** `DENIED`, `MANIFEST_UNKNOWN`. */
const codeGrammar = /^[A-Z][A-Z_]{0,39}$/;

/** More of a refusal is not read. */
const longestRefusal = 64 * 1024;

/**
 * What a registry says of its refusal, in one line: the status and its codes (distribution-spec,
 * "Error Codes"). Its messages are not shown: they may repeat what authorized the request.
 */
export async function refusalText(answer: Answer): Promise<string> {
  const status = `status ${answer.status}`;
  try {
    const bytes = await readBody(answer, { most: longestRefusal, what: "the refusal" });
    const { errors } = v.parse(errorsSchema, JSON.parse(bytes.toString("utf8")));
    const codes = errors.map(({ code }) => code).filter((code) => codeGrammar.test(code));
    return [status, ...new Set(codes)].join(", ");
  } catch {
    // Not every server that refuses has the registry's manners.
    return status;
  } finally {
    answer.body.destroy();
  }
}
