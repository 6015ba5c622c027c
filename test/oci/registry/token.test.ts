import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../src/oci/registry/challenge.js";
import type { Credentials } from "../../../src/oci/registry/credentials.js";
import {
  basicAuthorization,
  parseToken,
  type TokenRequestOptions,
  tokenRequest,
} from "../../../src/oci/registry/token.js";
import { refusal } from "../../support/refusal.js";
import { authOf, everythingIn, secret } from "../../support/secrets.js";

const login: Credentials = { kind: "password", username: "ü&ser", password: `${secret}:€` };
const identity: Credentials = { kind: "identity-token", username: "<token>", token: "a+b&c=" };

describe("tokenRequest", () => {
  function requestFor(header: string, options: Partial<TokenRequestOptions> = {}) {
    const [challenge] = parseChallenges(header);
    if (!challenge) throw new Error(`no challenge in ${header}`);
    return tokenRequest(challenge, {
      repository: "library/debian",
      credentials: undefined,
      registryUrl: new URL("https://r.io/v2/"),
      allowInsecure: false,
      ...options,
    });
  }

  const bearer = 'Bearer realm="https://auth.r.io/token",service="r.io registry"';
  const scope = "scope=repository%3Alibrary%2Fdebian%3Apull";

  test.each([
    { header: bearer, url: `https://auth.r.io/token?service=r.io+registry&${scope}` },
    { header: 'Bearer realm="https://auth.r.io/token"', url: `https://auth.r.io/token?${scope}` },
    { header: 'Bearer realm="https://a.r.io/t",service=""', url: `https://a.r.io/t?${scope}` },
    { header: 'Bearer realm="https://a.r.io/t?x=1#y"', url: `https://a.r.io/t?x=1&${scope}` },
  ])("asks for an anonymous token by $url", ({ header, url }) => {
    expect(requestFor(header)).toEqual({ method: "GET", url, headers: {} });
  });

  test("asks to read the one repository, whatever else the challenge speaks of", () => {
    const header = `${bearer},scope="repository:library/debian:pull,push registry:catalog:*"`;
    const { url } = requestFor(header, { repository: "a/b" });
    expect(new URL(url).searchParams.getAll("scope")).toEqual(["repository:a/b:pull"]);
  });

  test("asks with a password by Basic, and names the account", () => {
    const request = requestFor(bearer, { credentials: login });
    expect(request).toEqual({
      method: "GET",
      url: `https://auth.r.io/token?service=r.io+registry&${scope}&account=%C3%BC%26ser`,
      headers: { authorization: `Basic ${authOf("ü&ser", `${secret}:€`)}` },
    });
    expect(request.url).not.toContain(secret);
  });

  test("asks with an identity token by OAuth 2", () => {
    const request = requestFor(bearer, { credentials: identity });
    expect(request).toMatchObject({
      method: "POST",
      url: "https://auth.r.io/token",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const form = new URLSearchParams("body" in request ? request.body : "");
    expect(Object.fromEntries(form)).toEqual({
      grant_type: "refresh_token",
      service: "r.io registry",
      scope: "repository:library/debian:pull",
      client_id: "stage-rootfs",
      refresh_token: "a+b&c=",
    });
  });

  test.each([
    { header: 'Bearer realm="http://auth.r.io/token"', code: "AUTH" },
    { header: 'Bearer realm="https://u:p@auth.r.io/token"', code: "REGISTRY" },
    { header: 'Bearer service="r.io"', code: "REGISTRY" },
  ])("does not ask where $header points", ({ header, code }) => {
    for (const credentials of [undefined, login, identity]) {
      const error = refusal(() => requestFor(header, { credentials }));
      expect(error.code).toBe(code);
      expect(everythingIn(error)).not.toContain(secret);
    }
  });

  test("asks over plain HTTP where that is allowed", () => {
    const header = 'Bearer realm="http://auth.r.io/token"';
    expect(requestFor(header, { allowInsecure: true }).url).toBe(`http://auth.r.io/token?${scope}`);
  });
});

test("basicAuthorization encodes user and password as UTF-8", () => {
  const credentials = { kind: "password", username: "test", password: "123£" } as const;
  // RFC 7617, 2.1
  expect(basicAuthorization(credentials)).toBe("Basic dGVzdDoxMjPCow==");
});

describe("parseToken", () => {
  const url = "https://auth.r.io/token?account=user";

  function parse(answer: unknown) {
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    return parseToken(Buffer.from(text), url);
  }

  test.each([
    { answer: { token: "abc" }, token: { token: "abc", expiresIn: 60 } },
    { answer: { access_token: "abc" }, token: { token: "abc", expiresIn: 60 } },
    { answer: { token: "", access_token: "abc" }, token: { token: "abc", expiresIn: 60 } },
    { answer: { token: "abc", access_token: "def" }, token: { token: "abc", expiresIn: 60 } },
    {
      answer: { token: "abc", expires_in: 300, issued_at: "2020-01-01T00:00:00Z" },
      token: { token: "abc", expiresIn: 300 },
    },
    { answer: { token: "abc", expires_in: null }, token: { token: "abc", expiresIn: 60 } },
    { answer: { token: "abc", expires_in: 5 }, token: { token: "abc", expiresIn: 60 } },
    { answer: { token: "abc", expires_in: -1 }, token: { token: "abc", expiresIn: 60 } },
    { answer: { token: "a.b-c_d~e+f/g==" }, token: { token: "a.b-c_d~e+f/g==", expiresIn: 60 } },
  ])("takes $answer", ({ answer, token }) => {
    expect(parse(answer)).toEqual(token);
  });

  test.each([
    "",
    `<html><body>${secret}</body></html>`,
    `{"token": "${secret}"`,
    "null",
    "[]",
    {},
    { token: "" },
    { token: [secret] },
    { token: secret, expires_in: secret },
    { token: `${secret}\r\nhost: evil` },
    { token: `${secret} ${secret}` },
    { token: `${secret}é` },
    { refresh_token: secret },
    { errors: [{ code: "UNAUTHORIZED", message: secret }] },
  ])("refuses %j and repeats nothing of it", (answer) => {
    const error = refusal(() => parse(answer));
    expect(error).toMatchObject({ code: "REGISTRY", exitStatus: 69 });
    expect(error.message).toContain("the token server auth.r.io");
    expect(error.hint).toBeDefined();
    expect(everythingIn(error)).not.toContain(secret);
  });
});
