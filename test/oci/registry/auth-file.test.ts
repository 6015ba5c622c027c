import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAuthFile } from "../../../src/oci/registry/auth-file.js";
import { asUser } from "../../support/as-user.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { everythingIn, secret } from "../../support/secrets.js";

const isRoot = process.geteuid?.() === 0;
const namedBy = undefined;

function written(content: string | Buffer): string {
  const path = join(scratchDirectory(), "auth.json");
  writeFileSync(path, content);
  return path;
}

function read(content: string | Buffer, isLegacy = false) {
  return readAuthFile({ path: written(content), namedBy, isLegacy });
}

const none = new Map();

describe("readAuthFile", () => {
  test.each([
    { content: "{}", isLegacy: false, document: { auths: none, credHelpers: none } },
    { content: "\ufeff{}", isLegacy: false, document: { auths: none, credHelpers: none } },
    {
      content: '{"auths": null, "credHelpers": null, "credsStore": null, "HttpHeaders": {"a": 1}}',
      isLegacy: false,
      document: { auths: none, credHelpers: none, credsStore: undefined },
    },
    {
      content:
        '{"auths": {"h": {"auth": "eDp5", "email": 3}, "i": {}, "j": null, "k": {"auth": null, "identitytoken": "t"}}}',
      isLegacy: false,
      document: {
        auths: new Map([
          ["h", { auth: "eDp5", identitytoken: "" }],
          ["i", { auth: "", identitytoken: "" }],
          ["j", { auth: "", identitytoken: "" }],
          ["k", { auth: "", identitytoken: "t" }],
        ]),
      },
    },
    {
      content: '{"credHelpers": {"h": "pass", "i": ""}, "credsStore": "desktop"}',
      isLegacy: false,
      document: {
        credHelpers: new Map([
          ["h", "pass"],
          ["i", ""],
        ]),
        credsStore: "desktop",
      },
    },
    { content: '{"credsStore": ""}', isLegacy: false, document: { credsStore: undefined } },
    {
      content: '{"https://h/v1/": {"auth": "eDp5"}, "auths": {"auth": "eA=="}}',
      isLegacy: true,
      document: {
        auths: new Map([
          ["https://h/v1/", { auth: "eDp5", identitytoken: "" }],
          ["auths", { auth: "eA==", identitytoken: "" }],
        ]),
        credHelpers: none,
        credsStore: undefined,
      },
    },
  ])("reads $content", async ({ content, isLegacy, document }) => {
    expect(await read(content, isLegacy)).toMatchObject(document);
  });

  test.each([
    { content: "", fault: "is not JSON" },
    { content: `{"auths": {"h": {"auth": "${secret}`, fault: "is not JSON" },
    { content: `${secret}`, fault: "is not JSON" },
    { content: Buffer.from([0x7b, 0xff, 0x7d]), fault: "is not JSON" },
    { content: "[]", fault: "the document: should be an object" },
    { content: `"${secret}"`, fault: "the document: should be an object" },
    { content: '{"auths": []}', fault: "auths: should be an object" },
    { content: `{"auths": {"h": "${secret}"}}`, fault: "auths.h: should be an object" },
    { content: '{"auths": {"h": [{}]}}', fault: "auths.h: should be an object" },
    {
      content: `{"auths": {"h": {"auth": ["${secret}"]}}}`,
      fault: "auths.h.auth: should be string, but is an array",
    },
    {
      content: '{"auths": {"h": {"identitytoken": 5}}}',
      fault: "auths.h.identitytoken: should be string, but is a number",
    },
    { content: '{"credHelpers": {"h": {}}}', fault: "credHelpers.h: should be string" },
    { content: '{"credsStore": {}}', fault: "credsStore: should be string" },
    { content: "[".repeat(200_000), fault: "" },
  ])("refuses a broken one, and shows nothing of it but the place: $fault", async (example) => {
    const path = written(example.content);
    const error = await rejection(readAuthFile({ path, namedBy, isLegacy: false }));
    expect(error).toMatchObject({ code: "CONFIG", exitStatus: 78 });
    expect(error.message).toContain(path);
    expect(error.message).toContain(example.fault);
    expect(error.hint).toContain("--authfile");
    expect(everythingIn(error)).not.toContain(secret);
  });

  test("refuses a broken .dockercfg", async () => {
    const error = await rejection(read(`{"h": "${secret}"}`, true));
    expect(error.code).toBe("CONFIG");
    expect(everythingIn(error)).not.toContain(secret);
  });

  test("lets nothing of the path upset the terminal", async () => {
    const path = join(scratchDirectory(), "a\x1b[2J\n");
    mkdirSync(path);
    const unreadable = await rejection(readAuthFile({ path, namedBy, isLegacy: false }));
    expect(unreadable.message).toContain("a\\x1b[2J\\x0a");
  });

  test.each([
    ["is not there", "missing.json"],
    ["is in a directory that is not there", "missing/auth.json"],
    ["is below what is no directory", "file/auth.json"],
  ])("passes over a default one that %s", async (_, name) => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "file"), "");
    const file = { path: join(directory, name), isLegacy: false };
    expect(await readAuthFile({ ...file, namedBy: undefined })).toBeUndefined();
    for (const option of ["--authfile", "$REGISTRY_AUTH_FILE"] as const) {
      const error = await rejection(readAuthFile({ ...file, namedBy: option }));
      expect(error).toMatchObject({
        code: "CONFIG",
        hint: expect.stringContaining("skopeo login"),
      });
      expect(error.message).toContain(file.path);
      expect(error.message).toContain(`named by ${option}`);
    }
  });

  test("refuses a directory", async () => {
    const path = scratchDirectory();
    const error = await rejection(readAuthFile({ path, namedBy, isLegacy: false }));
    expect(error).toMatchObject({ code: "CONFIG", message: expect.stringContaining("EISDIR") });
  });

  test.runIf(isRoot)("refuses one that the user may see but not read", async () => {
    const path = written("{}");
    chmodSync(path, 0);
    await asUser([join(path, "..")], async () => {
      const error = await rejection(readAuthFile({ path, namedBy, isLegacy: false }));
      expect(error).toMatchObject({
        code: "CONFIG",
        message: expect.stringContaining("permission denied"),
      });
    });
  });

  test.runIf(isRoot)("passes over a default one in a directory of somebody else", async () => {
    const path = written("{}");
    const file = { path, isLegacy: false };
    await asUser([], async () => {
      expect(await readAuthFile({ ...file, namedBy })).toBeUndefined();
      const error = await rejection(readAuthFile({ ...file, namedBy: "--authfile" }));
      expect(error.message).toContain("permission denied");
    });
  });

  test("reads one that others may read", async () => {
    const path = written('{"credsStore": "pass"}');
    chmodSync(path, 0o666);
    expect(await readAuthFile({ path, namedBy, isLegacy: false })).toMatchObject({
      credsStore: "pass",
    });
  });
});
