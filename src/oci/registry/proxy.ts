import { BlockList, isIP } from "node:net";
import { StageError } from "../../errors.js";
import { isLoopback } from "./loopback.js";

/** The proxy by which to reach a URL, or undefined to reach it directly. */
export type ProxyChoice = (url: URL) => URL | undefined;

/**
 * The proxies that the environment names: `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of what is to
 * be reached, else `ALL_PROXY`, but none for what `NO_PROXY` lists, nor for this machine itself.
 * Each may be in lower case, which then counts. As for podman and skopeo, entries of `NO_PROXY` are
 * hosts, which stand for their subdomains too (only for these with a dot before them), addresses
 * and ranges of them (`10.0.0.0/8`), any of them with a port, or `*`.
 * @returns a choice that throws StageError CONFIG for a variable that names no proxy
 */
export function proxyFromEnvironment(environment: NodeJS.ProcessEnv): ProxyChoice {
  const exceptions = splitNoProxy(variable(environment, "NO_PROXY").value);
  return (url) => {
    if (isLoopback(url) || exceptions.some((matches) => matches(url))) return undefined;
    const own = variable(environment, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
    const { name, value } = own.value === "" ? variable(environment, "ALL_PROXY") : own;
    return value === "" ? undefined : parseProxy(value, name);
  };
}

function variable(environment: NodeJS.ProcessEnv, name: string): { name: string; value: string } {
  const lower = environment[name.toLowerCase()];
  if (lower !== undefined) return { name: name.toLowerCase(), value: lower.trim() };
  return { name, value: environment[name]?.trim() ?? "" };
}

/**
 * A proxy as a URL; without a scheme it is an HTTP proxy.
 * @param text may hold a password, so it is in no message
 * @param source what names it, for messages
 * @throws StageError CONFIG
 */
export function parseProxy(text: string, source: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  const why = url ? `names a proxy of a kind that is not supported (${url.protocol})` : "is no URL";
  throw new StageError("CONFIG", `${source} ${why}`, {
    hint: "write http://HOST:PORT, or list the registry in NO_PROXY",
  });
}

function splitNoProxy(list: string): readonly ((url: URL) => boolean)[] {
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .map(exception);
}

function exception(entry: string): (url: URL) => boolean {
  if (entry === "*") return () => true;
  const [, host = "", port] = isIP(entry) > 0 ? [entry, entry] : splitPort(entry);
  const covers = addressRange(bare(host)) ?? domain(host);
  return (url) => (port === undefined || port === portOf(url)) && covers(bare(url.hostname));
}

function splitPort(entry: string): readonly (string | undefined)[] {
  return /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
}

/** An address in a URL is in brackets if it is one of IPv6. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

function portOf(url: URL): string {
  return url.port || (url.protocol === "https:" ? "443" : "80");
}

function domain(host: string): (hostname: string) => boolean {
  const name = host.replace(/^\*?\./, "");
  const isItself = name === host;
  return (hostname) =>
    isIP(hostname) === 0 && ((isItself && hostname === name) || hostname.endsWith(`.${name}`));
}

/** Undefined for what is neither an address nor a range of them. */
function addressRange(entry: string): ((hostname: string) => boolean) | undefined {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  const width = version === 4 ? 32 : 128;
  const prefix = Number(bits ?? width);
  if (version === 0 || prefix > width) return undefined;
  const range = new BlockList();
  range.addSubnet(address, prefix, family(version));
  return (hostname) => isIP(hostname) > 0 && range.check(hostname, family(isIP(hostname)));
}

function family(version: number): "ipv4" | "ipv6" {
  return version === 4 ? "ipv4" : "ipv6";
}
