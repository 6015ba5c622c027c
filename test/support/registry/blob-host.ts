import { errorAnswer } from "./answer.js";
import { type AnsweringServer, type ServerOptions, startServer } from "./answering-server.js";
import { blobAnswer } from "./honest-answer.js";
import { bytesIn, type RegistryContent } from "./registry-content.js";

/** What is secret in the addresses of a blob host. */
export const signature = "SIGNATURE-4f1d";

/**
 * A host for the blobs of a registry. As object stores do, it lets in whom the address that was
 * signed lets in, and refuses those who show another proof of who they are.
 */
export async function startBlobHost(
  content: RegistryContent,
  options: Pick<ServerOptions, "tls" | "atTheEnd"> = {},
): Promise<AnsweringServer & { readonly location: string }> {
  const server = await startServer({
    ...options,
    answer: ({ url, headers }) => {
      const { pathname, searchParams } = new URL(url, "http://host");
      const bytes = bytesIn(content, decodeURIComponent(pathname.slice(1)));
      if (headers.authorization !== undefined) return errorAnswer(400, "INVALID_ARGUMENT");
      if (searchParams.get("X-Signature") !== signature) return errorAnswer(403, "DENIED");
      return bytes ? blobAnswer(bytes, headers.range) : errorAnswer(404, "BLOB_UNKNOWN");
    },
  });
  return { ...server, location: `${server.url}/{digest}?X-Signature=${signature}` };
}
