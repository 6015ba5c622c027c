import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Dispatcher, request } from "undici";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import type { HostCertificates } from "../../../src/oci/registry/certificates.js";
import { createDispatcher, type DispatcherOptions } from "../../../src/oci/registry/dispatcher.js";
import { type Credentials, needOpenssl, TestAuthority } from "../../support/authority.js";
import { forwardProxy, listen } from "../../support/forward-proxy.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const noCertificates: HostCertificates = { authorities: [], client: undefined };

/** A dispatcher for the test that is running; `host` is where it goes unless it says otherwise. */
function dispatcher(options: Partial<DispatcherOptions> & { host: string }): Dispatcher {
  const made = createDispatcher({
    isInsecure: false,
    certificates: noCertificates,
    trusted: () => [],
    proxyFor: () => undefined,
    headersTimeout: 5000,
    bodyTimeout: 5000,
    ...options,
  });
  onTestFinished(() => made.destroy());
  return made;
}

async function get(url: string, by: Dispatcher): Promise<string> {
  const { body } = await request(url, { dispatcher: by });
  return body.text();
}

/** The error of a request that must fail, with all that it says. */
async function failure(url: string, by: Dispatcher): Promise<{ code: unknown; text: string }> {
  const error: unknown = await get(url, by).then(
    (text) => new Error(`no failure, but ${text}`),
    (reason) => reason,
  );
  if (!(error instanceof Error)) throw new Error("what was thrown is no error");
  const causes = `${error.message} ${String(error.cause)} ${error.stack}`;
  return { code: "code" in error ? error.code : undefined, text: causes };
}

const hello: RequestListener = (incoming, response) => {
  response.end(`hello from ${incoming.headers.host}${incoming.url}`);
};

/** Says which client it is that asks. */
const greeting: RequestListener = ({ socket }, response) => {
  const { CN } = (socket as TLSSocket).getPeerCertificate().subject ?? { CN: "nobody" };
  response.end(`hello ${CN}`);
};

function authorityFor(context: TestContext): TestAuthority {
  needOpenssl(context);
  return new TestAuthority(scratchDirectory());
}

/** A TLS server on loopback that asks for a client's certificate, but needs none. */
async function tlsServer(identity: Credentials, authority: TestAuthority): Promise<number> {
  const options = { ...identity, ca: authority.cert, requestCert: true, rejectUnauthorized: false };
  return listen(createHttpsServer(options, greeting));
}

const loopback = "DNS:localhost,IP:127.0.0.1";

describe("createDispatcher", () => {
  it("reaches a registry over plain HTTP", async () => {
    const host = `127.0.0.1:${await listen(createHttpServer(hello))}`;
    expect(await get(`http://${host}/v2/`, dispatcher({ host }))).toBe(`hello from ${host}/v2/`);
  });

  it("does not ask for the machine's authorities without TLS", async () => {
    const host = `127.0.0.1:${await listen(createHttpServer(hello))}`;
    const trusted = () => {
      throw new Error("asked for");
    };
    expect(await get(`http://${host}/`, dispatcher({ host, trusted }))).toContain("hello");
  });

  describe("over TLS", () => {
    it("trusts the authorities of the machine and of certs.d, and no others", async (context) => {
      const authority = authorityFor(context);
      const host = `127.0.0.1:${await tlsServer(authority.issue("server", loopback), authority)}`;
      const certificates = { authorities: [authority.cert], client: undefined };
      const trusted = () => [authority.cert];
      expect(await get(`https://${host}`, dispatcher({ host, trusted }))).toBe("hello nobody");
      expect(await get(`https://${host}`, dispatcher({ host, certificates }))).toBe("hello nobody");
      const { code } = await failure(`https://${host}`, dispatcher({ host }));
      expect(code).toBe("SELF_SIGNED_CERT_IN_CHAIN");
    });

    it("refuses the certificate of another host", async (context) => {
      const authority = authorityFor(context);
      const host = `127.0.0.1:${await tlsServer(authority.issue("other.test"), authority)}`;
      const by = dispatcher({ host, trusted: () => [authority.cert] });
      expect((await failure(`https://${host}`, by)).code).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    });

    it("reads the machine's authorities once", async (context) => {
      const authority = authorityFor(context);
      const identity = authority.issue("server", loopback);
      const hosts = [
        `127.0.0.1:${await tlsServer(identity, authority)}`,
        `127.0.0.1:${await tlsServer(identity, authority)}`,
      ];
      let reads = 0;
      const trusted = () => {
        reads += 1;
        return [authority.cert];
      };
      const by = dispatcher({ host: "registry.test", trusted });
      for (const host of hosts) await get(`https://${host}`, by);
      expect(reads).toBe(1);
    });

    it("takes any certificate of an insecure registry, but not of where it redirects to", async (context) => {
      const authority = authorityFor(context);
      const identity = authority.issue("other.test");
      const host = `127.0.0.1:${await tlsServer(identity, authority)}`;
      const elsewhere = `127.0.0.1:${await tlsServer(identity, authority)}`;
      const by = dispatcher({ host, isInsecure: true });
      expect(await get(`https://${host}`, by)).toBe("hello nobody");
      expect((await failure(`https://${elsewhere}`, by)).text).toMatch(/certificate/);
    });

    it("shows the client's certificate to the registry, but not to where it redirects to", async (context) => {
      const authority = authorityFor(context);
      const identity = authority.issue("server", loopback);
      const host = `127.0.0.1:${await tlsServer(identity, authority)}`;
      const elsewhere = `127.0.0.1:${await tlsServer(identity, authority)}`;
      const client = authority.issue("client");
      const by = dispatcher({ host, certificates: { authorities: [authority.cert], client } });
      expect(await get(`https://${host}`, by)).toBe("hello client");
      expect(await get(`https://${elsewhere}`, by)).toBe("hello nobody");
    });

    it("knows the registry by its default port too", async (context) => {
      const authority = authorityFor(context);
      const port = await tlsServer(authority.issue("registry.test"), authority);
      const proxy = await forwardProxy({ port });
      const client = authority.issue("client");
      const by = dispatcher({
        host: "registry.test:443",
        certificates: { authorities: [authority.cert], client },
        proxyFor: () => proxy.url,
      });
      expect(await get("https://registry.test/v2/", by)).toBe("hello client");
    });
  });

  describe("by a proxy", () => {
    it("tunnels TLS, with the registry's own certificates", async (context) => {
      const authority = authorityFor(context);
      const port = await tlsServer(authority.issue("registry.test"), authority);
      const proxy = await forwardProxy({ port });
      const options = { host: "registry.test:5000", proxyFor: () => proxy.url };
      const certificates = { authorities: [authority.cert], client: authority.issue("client") };
      const url = "https://registry.test:5000/v2/";
      expect(await get(url, dispatcher({ ...options, certificates }))).toBe("hello client");
      expect(await get(url, dispatcher({ ...options, isInsecure: true }))).toBe("hello nobody");
      expect((await failure(url, dispatcher(options))).text).toMatch(/certificate/);
      expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT registry.test:5000"]));
    });

    it("asks for plain HTTP without a tunnel", async () => {
      const proxy = await forwardProxy({ port: await listen(createHttpServer(hello)) });
      const by = dispatcher({ host: "registry.test", proxyFor: () => proxy.url });
      expect(await get("http://registry.test/v2/", by)).toBe("hello from registry.test/v2/");
      expect(proxy.asked).toEqual(["GET http://registry.test/v2/"]);
    });

    it("chooses for each host that it reaches", async () => {
      const port = await listen(createHttpServer(hello));
      const proxy = await forwardProxy({ port });
      const proxyFor = (url: URL) => (url.hostname === "storage.test" ? proxy.url : undefined);
      const by = dispatcher({ host: `127.0.0.1:${port}`, proxyFor });
      await get(`http://127.0.0.1:${port}/v2/`, by);
      expect(proxy.asked).toEqual([]);
      await get("http://storage.test/blob", by);
      expect(proxy.asked).toEqual(["GET http://storage.test/blob"]);
    });

    function withPassword(url: URL, password: string): URL {
      return Object.assign(new URL(url), { username: "me", password });
    }

    it("shows the credentials that the proxy's URL has", async (context) => {
      const authority = authorityFor(context);
      const port = await tlsServer(authority.issue("registry.test"), authority);
      const proxy = await forwardProxy({ port, credentials: "me:p@ss/word" });
      const by = dispatcher({
        host: "registry.test",
        trusted: () => [authority.cert],
        proxyFor: () => withPassword(proxy.url, "p@ss/word"),
      });
      expect(await get("https://registry.test/v2/", by)).toBe("hello nobody");
      expect(proxy.credentials).toEqual(["me:p@ss/word"]);
    });

    it.each(["https://registry.test/", "http://registry.test/"])(
      "fails for %s without showing the credentials, where they are wrong or nothing answers",
      async (url) => {
        const proxy = await forwardProxy({ port: 1, credentials: "me:right" });
        const closed = new URL("http://127.0.0.1:1");
        for (const at of [proxy.url, closed]) {
          const proxyFor = () => withPassword(at, "secret");
          const { text } = await failure(url, dispatcher({ host: "registry.test", proxyFor }));
          expect(text).toMatch(at === closed ? /ECONNREFUSED/ : /407/);
          expect(text).not.toContain("secret");
          expect(text).not.toContain(Buffer.from("me:secret").toString("base64"));
        }
      },
    );
  });

  it("gives up wherever it gets no further", async () => {
    const silent = await listen(createTcpServer());
    const stopping: RequestListener = (_, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("half");
    };
    const stops = await listen(createHttpServer(stopping));
    const proxy = await forwardProxy({ port: silent });
    const codeOf = async (url: string, options: Partial<DispatcherOptions>) =>
      (await failure(url, dispatcher({ host: "registry.test", ...options }))).code;
    const byProxy = { proxyFor: () => proxy.url };
    const bySilence = { proxyFor: () => new URL(`http://127.0.0.1:${silent}`) };
    // Beside one another: each takes a second, which is how exact the timers are.
    const codes = await Promise.all([
      codeOf(`http://127.0.0.1:${silent}/`, { headersTimeout: 100 }),
      codeOf(`http://127.0.0.1:${stops}/`, { bodyTimeout: 100 }),
      codeOf(`https://127.0.0.1:${silent}/`, { connectTimeout: 100 }),
      codeOf("http://registry.test/", { ...byProxy, headersTimeout: 100 }),
      codeOf("https://registry.test/", { ...byProxy, connectTimeout: 100 }),
      codeOf("https://registry.test/", { ...bySilence, connectTimeout: 100 }),
    ]);
    expect(codes).toEqual([
      "UND_ERR_HEADERS_TIMEOUT",
      "UND_ERR_BODY_TIMEOUT",
      "UND_ERR_CONNECT_TIMEOUT",
      "UND_ERR_HEADERS_TIMEOUT",
      "UND_ERR_CONNECT_TIMEOUT",
      "UND_ERR_HEADERS_TIMEOUT",
    ]);
  });
});
