import { describe, expect, test } from "vitest";
import { StageError } from "../../../src/errors.js";
import { connectionError, isNoTls, isPassingFailure } from "../../../src/oci/registry/failure.js";

function failed(code: string): Error {
  return Object.assign(new Error(`it failed: ${code}`), { code });
}

describe("a connection that failed", () => {
  const cases: readonly (readonly [string, { isPassing: boolean; says: RegExp; hint: RegExp }])[] =
    [
      ["ECONNREFUSED", { isPassing: true, says: /the connection is refused/, hint: /network/ }],
      ["ECONNRESET", { isPassing: true, says: /closed in the middle/, hint: /try again/ }],
      ["UND_ERR_BODY_TIMEOUT", { isPassing: true, says: /nothing any more/, hint: /try again/ }],
      ["EAI_AGAIN", { isPassing: true, says: /can't be resolved/, hint: /check the name/ }],
      ["ENOTFOUND", { isPassing: false, says: /no such host/, hint: /check the name/ }],
      ["EWHATEVER", { isPassing: false, says: /EWHATEVER/, hint: /network/ }],
      [
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        { isPassing: false, says: /not trusted/, hint: /--cert-dir/ },
      ],
      ["CERT_HAS_EXPIRED", { isPassing: false, says: /not trusted/, hint: /--cert-dir/ }],
      ["ERR_TLS_CERT_ALTNAME_INVALID", { isPassing: false, says: /not trusted/, hint: /certs\.d/ }],
      [
        "ERR_SSL_WRONG_VERSION_NUMBER",
        { isPassing: false, says: /TLS/, hint: /--insecure-registry/ },
      ],
      ["EPROTO", { isPassing: false, says: /does not speak TLS/, hint: /--insecure-registry/ }],
    ];
  test.for(cases)("with %s is told as what it is", ([code, { isPassing, says, hint }]) => {
    const inside = new Error("fetch failed", { cause: failed(code) });
    const several = new AggregateError([failed(code), failed("EOTHER")]);
    for (const error of [failed(code), inside, several]) {
      expect(isPassingFailure(error)).toBe(isPassing);
      const told = connectionError("registry.example:5000", error);
      expect(told).toMatchObject({ name: "StageError", code: "REGISTRY" });
      expect(String(told)).toMatch(says);
      expect(String(told)).toContain("registry.example:5000");
      expect(told instanceof StageError ? told.hint : "").toMatch(hint);
    }
  });

  test("for a reason that is no connection's stays what it is", () => {
    const bug = new TypeError("a bug");
    expect(connectionError("h", bug)).toBe(bug);
    expect([isPassingFailure(bug), isNoTls(bug)]).toEqual([false, false]);
    const known = new StageError("AUTH", "no");
    expect(connectionError("h", known)).toBe(known);
  });
});
