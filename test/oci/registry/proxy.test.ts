import { describe, expect, it } from "vitest";
import { proxyFromEnvironment } from "../../../src/oci/registry/proxy.js";
import { refusal } from "../../support/refusal.js";

function proxyOf(url: string, environment: NodeJS.ProcessEnv) {
  return proxyFromEnvironment(environment)(new URL(url))?.href;
}

describe("proxyFromEnvironment", () => {
  const https = "https://registry.example.com";
  const http = "http://registry.example.com:5000";
  it.each([
    { url: https, environment: {}, proxy: undefined },
    { url: https, environment: { HTTPS_PROXY: "http://p:1" }, proxy: "http://p:1/" },
    { url: https, environment: { https_proxy: "http://p:1" }, proxy: "http://p:1/" },
    { url: https, environment: { HTTP_PROXY: "http://p:1" }, proxy: undefined },
    { url: http, environment: { HTTP_PROXY: "http://p:1" }, proxy: "http://p:1/" },
    { url: http, environment: { http_proxy: "http://p:1" }, proxy: "http://p:1/" },
    { url: http, environment: { HTTPS_PROXY: "http://p:1" }, proxy: undefined },
    { url: https, environment: { ALL_PROXY: "http://p:1" }, proxy: "http://p:1/" },
    { url: http, environment: { all_proxy: "http://p:1" }, proxy: "http://p:1/" },
    {
      url: https,
      environment: { ALL_PROXY: "http://p:1", HTTPS_PROXY: "http://q:1" },
      proxy: "http://q:1/",
    },
    {
      url: https,
      environment: { HTTPS_PROXY: "http://upper:1", https_proxy: "http://lower:1" },
      proxy: "http://lower:1/",
    },
    { url: https, environment: { HTTPS_PROXY: "http://upper:1", https_proxy: "" } },
    {
      url: https,
      environment: { HTTPS_PROXY: "p.example.com:3128" },
      proxy: "http://p.example.com:3128/",
    },
    { url: https, environment: { HTTPS_PROXY: "https://p" }, proxy: "https://p/" },
    { url: https, environment: { HTTPS_PROXY: "http://me:pw@p:1" }, proxy: "http://me:pw@p:1/" },
  ])("reaches $url with $environment by $proxy", ({ url, environment, proxy }) => {
    expect(proxyOf(url, environment)).toBe(proxy);
  });

  it.each([
    "http://localhost:5000",
    "https://127.0.0.1",
    "https://127.1.2.3:5000",
    "http://[::1]:5",
  ])("reaches %s, this machine, directly", (url) => {
    expect(proxyOf(url, { HTTP_PROXY: "http://p:1", HTTPS_PROXY: "http://p:1" })).toBeUndefined();
  });

  it.each([
    { url: "https://a.example.com", except: "*", isDirect: true },
    { url: "https://a.example.com", except: "other.com,*", isDirect: true },
    { url: "https://a.example.com", except: "", isDirect: false },
    { url: "https://a.example.com", except: "a.example.com", isDirect: true },
    { url: "https://a.example.com", except: "A.Example.com", isDirect: true },
    { url: "https://a.example.com", except: "example.com", isDirect: true },
    { url: "https://example.com", except: "example.com", isDirect: true },
    { url: "https://a.example.com", except: ".example.com", isDirect: true },
    { url: "https://example.com", except: ".example.com", isDirect: false },
    { url: "https://a.example.com", except: "*.example.com", isDirect: true },
    { url: "https://notexample.com", except: "example.com", isDirect: false },
    { url: "https://example.com.evil.org", except: "example.com", isDirect: false },
    { url: "https://a.example.com", except: "x.org, example.com", isDirect: true },
    { url: "https://a.example.com", except: "x.org example.com", isDirect: true },
    { url: "https://a.example.com", except: "example.com:443", isDirect: true },
    { url: "https://a.example.com", except: "example.com:5000", isDirect: false },
    { url: "https://a.example.com:5000", except: "example.com:5000", isDirect: true },
    { url: "https://10.1.2.3", except: "10.0.0.0/8", isDirect: true },
    { url: "https://11.1.2.3", except: "10.0.0.0/8", isDirect: false },
    { url: "https://10.1.2.3:5000", except: "10.1.2.3", isDirect: true },
    { url: "https://10.1.2.3:5000", except: "10.1.2.3:5000", isDirect: true },
    { url: "https://10.1.2.3:5001", except: "10.1.2.3:5000", isDirect: false },
    { url: "https://10.1.2.3", except: "1.2.3", isDirect: false },
    { url: "https://a.example.com", except: "10.0.0.0/8", isDirect: false },
    { url: "https://[fd00::1]:5000", except: "fd00::/8", isDirect: true },
    { url: "https://[fd00::1]:5000", except: "fd00::1", isDirect: true },
    { url: "https://[fd00::1]:5000", except: "[fd00::1]:5000", isDirect: true },
    { url: "https://[fd00::1]:5000", except: "fd00:0:0::1", isDirect: true },
    { url: "https://10.1.2.3:5000", except: "10.0.0.0/8:5000", isDirect: true },
    { url: "https://10.1.2.3", except: "10.0.0.0/8:5000", isDirect: false },
    { url: "https://10.1.2.3", except: "10.0.0.0/x", isDirect: false },
    { url: "https://10.1.2.3", except: "10.0.0.0/", isDirect: false },
    { url: "https://[fd00::1]:5001", except: "[fd00::1]:5000", isDirect: false },
    { url: "https://[fd00::2]", except: "fd00::1", isDirect: false },
    { url: "https://a.example.com", except: "10.0.0.0/99", isDirect: false },
  ])("with NO_PROXY=$except reaches $url directly: $isDirect", ({ url, except, isDirect }) => {
    const environment = { HTTPS_PROXY: "http://p:1", NO_PROXY: except };
    expect(proxyOf(url, environment)).toBe(isDirect ? undefined : "http://p:1/");
  });

  it("takes no_proxy before NO_PROXY", () => {
    const environment = { HTTPS_PROXY: "http://p:1", NO_PROXY: "*", no_proxy: "other.com" };
    expect(proxyOf("https://example.com", environment)).toBe("http://p:1/");
  });

  it.each([
    { name: "HTTPS_PROXY", value: "socks5://me:secret@p:1", says: "socks5:" },
    { name: "all_proxy", value: "socks5h://me:secret@p:1", says: "socks5h:" },
    { name: "https_proxy", value: "http://me:secret@p:port", says: "is no URL" },
  ])("refuses $name=$value without showing it", ({ name, value, says }) => {
    const error = refusal(() => proxyOf("https://example.com", { [name]: value }));
    expect(error.code).toBe("CONFIG");
    expect(error.message.startsWith(`${name} `)).toBe(true);
    expect(error.message).toContain(says);
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain("secret");
  });

  it("does not mind a proxy that it could not use where none is needed", () => {
    const environment = { ALL_PROXY: "socks5://p:1", NO_PROXY: "example.com" };
    expect(proxyOf("https://example.com", environment)).toBeUndefined();
  });
});
