import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/oci/config.js";
import { digestOf } from "../../src/oci/digest.js";
import { json } from "../support/image-parts.js";
import { refusal } from "../support/refusal.js";

const diffId = `sha256:${"b".repeat(64)}`;
const rootfs = { type: "layers", diff_ids: [diffId] };
const plain = { os: "linux", architecture: "amd64", rootfs };

function parse(document: unknown) {
  return parseConfig(json(document), "the config");
}

function runtimeOf(config: unknown) {
  return parse({ ...plain, config }).runtime;
}

const nothing = {
  user: null,
  env: [],
  entrypoint: null,
  cmd: null,
  workingDir: null,
  labels: {},
  volumes: [],
  exposedPorts: [],
  stopSignal: null,
};

describe("parseConfig", () => {
  it("reads all of a full config", () => {
    const bytes = json({
      ...plain,
      variant: "v2",
      "os.version": "10.0.14393.1066",
      "os.features": ["win32k"],
      created: "2024-01-01T00:00:00Z",
      author: "somebody",
      "org.example.extension": [1, 2],
      history: [{ empty_layer: true }],
      config: {
        User: "1000:100",
        Env: ["PATH=/bin", "EMPTY=", "A=b=c"],
        Entrypoint: ["/init", "--"],
        Cmd: ["run"],
        WorkingDir: "/work",
        Labels: { a: "b", "": "" },
        Volumes: { "/data": {}, "/more": {} },
        ExposedPorts: { "80/tcp": {}, "53/udp": {} },
        StopSignal: "SIGINT",
        Healthcheck: { Test: ["NONE"] },
        Memory: 1,
        MemorySwap: -1,
        CpuShares: 8,
        ArgsEscaped: true,
        OnBuild: null,
      },
    });
    expect(parseConfig(bytes, "the config")).toEqual({
      imageId: digestOf(bytes),
      platform: { os: "linux", architecture: "amd64", variant: "v2" },
      diffIds: [diffId],
      runtime: {
        user: "1000:100",
        env: ["PATH=/bin", "EMPTY=", "A=b=c"],
        entrypoint: ["/init", "--"],
        cmd: ["run"],
        workingDir: "/work",
        labels: { a: "b", "": "" },
        volumes: ["/data", "/more"],
        exposedPorts: ["80/tcp", "53/udp"],
        stopSignal: "SIGINT",
      },
    });
  });

  it("takes null for a missing platform's parts", () => {
    const { platform } = parse({ os: null, architecture: null, variant: null, rootfs });
    expect(platform).toEqual({ os: "linux", architecture: "", variant: undefined });
  });

  it("takes what is null, empty or missing for nothing, as Docker writes it", () => {
    const nulls = {
      User: null,
      Env: null,
      Entrypoint: null,
      Cmd: null,
      WorkingDir: null,
      Labels: null,
      Volumes: null,
      ExposedPorts: null,
      StopSignal: null,
    };
    expect(runtimeOf(nulls)).toEqual(nothing);
    expect(runtimeOf({ User: "", WorkingDir: "", StopSignal: "" })).toEqual(nothing);
    expect(runtimeOf({})).toEqual(nothing);
    expect(runtimeOf(null)).toEqual(nothing);
    expect(runtimeOf(undefined)).toEqual(nothing);
  });

  it.each([
    { written: null, read: null },
    { written: [], read: [] },
    { written: ["a", ""], read: ["a", ""] },
    { written: "one command", read: ["one command"] },
  ])("reads the command $written", ({ written, read }) => {
    expect(runtimeOf({ Entrypoint: written, Cmd: written })).toMatchObject({
      entrypoint: read,
      cmd: read,
    });
  });

  it.each([
    { written: "/", read: "/" },
    { written: "/a/", read: "/a" },
    { written: "//a//b/./c", read: "/a/b/c" },
    { written: "a/b", read: "/a/b" },
    { written: ".", read: "/" },
    { written: "../../etc", read: "/etc" },
    { written: "/a/../../..", read: "/" },
  ])("keeps the working directory $written inside, as $read", ({ written, read }) => {
    expect(runtimeOf({ WorkingDir: written }).workingDir).toBe(read);
  });

  it("takes an image without a platform for one of linux", () => {
    expect(parse({ rootfs }).platform).toMatchObject({ os: "linux" });
  });

  it.each([null, undefined, []])("reads an image without layers (%j)", (diff_ids) => {
    expect(parse({ ...plain, rootfs: { type: "layers", diff_ids } }).diffIds).toEqual([]);
  });

  it("refuses an image of another system", () => {
    expect(refusal(() => parse({ ...plain, os: "windows" }))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining("windows"),
    });
  });

  it.each([
    { what: "no rootfs", document: { os: "linux" }, place: "rootfs" },
    { what: "null for a rootfs", document: { ...plain, rootfs: null }, place: "rootfs" },
    {
      what: "another kind of rootfs",
      document: { ...plain, rootfs: { type: "layers+base" } },
      place: "rootfs.type",
    },
    {
      what: "a diffID that is none",
      document: { ...plain, rootfs: { ...rootfs, diff_ids: [diffId, "x"] } },
      place: "rootfs.diff_ids.1",
    },
    {
      what: "null for a diffID",
      document: { ...plain, rootfs: { ...rootfs, diff_ids: [null] } },
      place: "rootfs.diff_ids.0",
    },
    { what: "a number for the os", document: { ...plain, os: 1 }, place: "os" },
    {
      what: "a number in Env",
      document: { ...plain, config: { Env: ["A=1", 2] } },
      place: "config.Env.1",
    },
    {
      what: "an object for Env",
      document: { ...plain, config: { Env: { A: "1" } } },
      place: "config.Env",
    },
    {
      what: "a number for User",
      document: { ...plain, config: { User: 0 } },
      place: "config.User",
    },
    {
      what: "a list for WorkingDir",
      document: { ...plain, config: { WorkingDir: ["/"] } },
      place: "config.WorkingDir",
    },
    {
      what: "a number for a label",
      document: { ...plain, config: { Labels: { a: 1 } } },
      place: "config.Labels.a",
    },
    { what: "an array for config", document: { ...plain, config: "x" }, place: "config" },
    { what: "text", document: "config", place: "the document" },
  ])("refuses $what and names $place", ({ document, place }) => {
    const error = refusal(() => parse(document));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`the config: ${place}: `);
  });

  it.each([
    { field: "Entrypoint", value: ["a", 1] },
    { field: "Cmd", value: { a: 1 } },
    { field: "Cmd", value: 1 },
  ])("refuses the $field $value and names it", ({ field, value }) => {
    const error = refusal(() => runtimeOf({ [field]: value }));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`config.${field}`);
  });

  it.each([
    { field: "User", value: "a\0b" },
    { field: "Env", value: ["A=\0"] },
    { field: "Entrypoint", value: ["\0"] },
    { field: "Entrypoint", value: "\0" },
    { field: "Cmd", value: ["a", "b\0"] },
    { field: "WorkingDir", value: "/a\0" },
    { field: "StopSignal", value: "\0" },
    { field: "Volumes", value: { "/a\0b": {} } },
  ])("refuses a NUL in $field, which no argument or path can hold", ({ field, value }) => {
    const error = refusal(() => runtimeOf({ [field]: value }));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`config.${field}`);
  });
});
