import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy as `HTTPS_PROXY` names it, which brings everybody to the same server. */
export interface ConnectProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The `HOST:PORT` that clients asked for, and their Proxy-Authorization. */
  readonly asked: readonly { readonly to: string; readonly authorization: string | undefined }[];
}

/** Starts a proxy for the running test (RFC 9110, 9.3.6: CONNECT). */
export async function startProxy(port: number): Promise<ConnectProxy> {
  const asked: ConnectProxy["asked"][number][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connection", (socket) => sockets.add(socket));
  server.on("connect", ({ url = "", headers }, socket) => {
    asked.push({ to: url, authorization: headers["proxy-authorization"] });
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    sockets.add(onward);
    // Either side may leave; then the other has nobody to talk to.
    socket.on("error", () => onward.destroy());
    onward.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  const own = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { host: `127.0.0.1:${own}`, asked };
}
