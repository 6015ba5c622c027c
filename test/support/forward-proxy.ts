import { createServer, type IncomingMessage, request } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy for HTTP on loopback that takes every host for this machine. */
export interface ForwardProxy {
  /** Without credentials. */
  readonly url: URL;
  /** What it was asked for, such as `CONNECT registry.test:443` or `GET http://registry.test/v2/`. */
  readonly asked: readonly string[];
  /** The credentials that it was shown, in the clear. */
  readonly credentials: readonly string[];
}

export interface ForwardProxyOptions {
  /** `USER:PASSWORD` to ask for. */
  readonly credentials?: string;
  /** The port on loopback that it sends everything to. */
  readonly port: number;
}

/** Starts one, for as long as the test runs. */
export async function forwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const isWelcome = (incoming: IncomingMessage): boolean => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const header = incoming.headers["proxy-authorization"] ?? "";
    const shown = Buffer.from(header.replace(/^Basic /, ""), "base64").toString();
    if (shown !== "") credentials.push(shown);
    return options.credentials === undefined || shown === options.credentials;
  };
  const server = createServer((incoming, response) => {
    if (!isWelcome(incoming)) {
      response.writeHead(407).end();
      return;
    }
    const { pathname } = new URL(incoming.url ?? "");
    const target = { host: "127.0.0.1", port: options.port, path: pathname };
    const onward = request({ ...target, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end();
  });
  server.on("connect", (incoming, client) => {
    client.on("error", () => client.destroy());
    if (!isWelcome(incoming)) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const target = connect(options.port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    target.on("error", () => client.destroy());
    client.on("close", () => target.destroy());
  });
  const port = await listen(server);
  return { url: new URL(`http://127.0.0.1:${port}`), asked, credentials };
}

/** The port on loopback at which a server listens from now on, for as long as the test runs. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return address.port;
}
