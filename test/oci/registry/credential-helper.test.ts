import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askHelper, type HelperOptions } from "../../../src/oci/registry/credential-helper.js";
import { environmentWith, helperFor, writeHelper } from "../../support/credential-helper.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { everythingIn, secret } from "../../support/secrets.js";

const request = { name: "test", server: "r.io", askedBy: "/home/u/.docker/config.json" };

/** Asks a helper that is this script. */
function ask(script: string, options: Partial<HelperOptions> = {}) {
  const bin = scratchDirectory();
  writeHelper(bin, { name: "test", script });
  return askHelper(request, { env: environmentWith(bin), ...options });
}

describe("askHelper", () => {
  test("gives what the helper has for the server", async () => {
    const script = helperFor({ server: "r.io", username: "user", secret });
    const credentials = { kind: "password", username: "user", password: secret };
    expect(await ask(script)).toEqual(credentials);
  });

  test("asks by the word get and the server alone, in the user's environment", async () => {
    const seen = join(scratchDirectory(), "seen");
    const script = `{ echo "$*"; cat; echo "|$HOME"; } > ${seen}; echo '{}'`;
    const bin = scratchDirectory();
    writeHelper(bin, { name: "test", script });
    await askHelper(request, { env: { ...environmentWith(bin), HOME: "/home/u" } });
    expect(readFileSync(seen, "utf8")).toBe("get\nr.io|/home/u\n");
  });

  test("takes the user name <token> for an identity token", async () => {
    const script = helperFor({ server: "r.io", username: "<token>", secret });
    expect(await ask(script)).toEqual({
      kind: "identity-token",
      username: "<token>",
      token: secret,
    });
  });

  test.each([
    ["that it has none", "echo credentials not found in native keychain; exit 1"],
    ["that it has none, without failing", "echo credentials not found in native keychain"],
    [
      "that it has none, and more on stderr",
      "echo credentials not found in native keychain; echo x >&2; exit 1",
    ],
    ["nothing", "echo '{}'"],
    ["an empty user and secret", `echo '{"ServerURL":"r.io","Username":"","Secret":""}'`],
    ["an empty token", `echo '{"Username":"<token>","Secret":""}'`],
  ])("gives none where the helper says %s", async (_, script) => {
    expect(await ask(script)).toBeUndefined();
  });

  test("does not mind a helper that ends without reading", async () => {
    const server = `r.io/${"x".repeat(1 << 20)}`;
    const bin = scratchDirectory();
    writeHelper(bin, { name: "test", script: `exec <&-; echo '{"Username":"u","Secret":"p"}'` });
    const env = environmentWith(bin);
    expect(await askHelper({ ...request, server }, { env })).toMatchObject({ password: "p" });
  });

  test.each([
    {
      what: "fails",
      script: `echo ${secret}; echo ${secret} >&2; exit 4`,
      why: "failed with status 4",
    },
    { what: "is killed", script: `echo ${secret}; kill -KILL $$`, why: "failed with SIGKILL" },
    { what: "writes no JSON", script: `echo ${secret}`, why: "is not JSON" },
    { what: "writes nothing", script: "exit 0", why: "is not JSON" },
    { what: "writes half", script: `printf '{"Secret":"${secret}'`, why: "is not JSON" },
    {
      what: "writes other JSON",
      script: `echo '{"Secret":["${secret}"]}'`,
      why: "Secret: should be string",
    },
    { what: "writes without end", script: `yes ${secret}`, why: "MAXBUFFER" },
  ])("says which helper it is that $what, and nothing of its words", async ({ script, why }) => {
    const error = await rejection(ask(script));
    expect(error).toMatchObject({
      code: "CONFIG",
      hint: "see what it says: echo r.io | docker-credential-test get",
    });
    expect(error.message).toContain(`docker-credential-test (asked for by ${request.askedBy})`);
    expect(error.message).toContain(why);
    expect(everythingIn(error)).not.toContain(secret);
  });

  test("does not wait forever, nor for what the helper has started", async () => {
    const script = "trap '' TERM; sleep 8 & sleep 8";
    const began = Date.now();
    const error = await rejection(ask(script, { timeout: 300 }));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain("gave no answer within 0.3 s");
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  test("ends with the signal's reason", async () => {
    const reason = new Error("stop");
    const stop = new AbortController();
    const asked = ask("sleep 20", { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 100);
    await expect(asked).rejects.toBe(reason);
    await expect(ask("exit 0", { signal: stop.signal })).rejects.toBe(reason);
  });

  test("says that a helper is not there, and who wants it", async () => {
    const error = await rejection(askHelper(request, { env: environmentWith(scratchDirectory()) }));
    expect(error).toMatchObject({
      code: "CONFIG",
      message: `docker-credential-test (asked for by ${request.askedBy}) is not in PATH`,
      hint: expect.stringContaining("--authfile"),
    });
  });

  test("says that a helper can't be run", async () => {
    const bin = scratchDirectory();
    writeFileSync(join(bin, "docker-credential-test"), "");
    const error = await rejection(askHelper(request, { env: { PATH: bin } }));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain("can't be used: EACCES");
  });

  test.each(["", "../evil", "/evil", "a/b", "a b", "-x", ".", "a\nb", "$(touch x)", "é"])(
    "runs no helper called %j",
    async (name) => {
      const directory = scratchDirectory();
      mkdirSync(join(directory, "docker-credential-a"), { recursive: true });
      writeHelper(join(directory, "docker-credential-a"), { name: "x", script: "exit 0" });
      const options = { env: environmentWith(directory) };
      const error = await rejection(askHelper({ ...request, name }, options));
      expect(error.code).toBe("CONFIG");
      expect(error.message).toContain("is no name of a credential helper");
      expect(error.message).toContain(request.askedBy);
    },
  );

  test.each(["ecr-login", "desktop.exe", "gcr", "acr_env", "1password"])(
    "runs one called %s",
    async (name) => {
      const bin = scratchDirectory();
      const script = helperFor({ server: "r.io", username: "user", secret });
      writeHelper(bin, { name, script });
      const options = { env: environmentWith(bin) };
      expect(await askHelper({ ...request, name }, options)).toMatchObject({ username: "user" });
    },
  );
});
