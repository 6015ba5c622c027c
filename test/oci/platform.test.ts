import { describe, expect, it } from "vitest";
import {
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformsAgree,
} from "../../src/oci/platform.js";
import { refusal } from "../support/refusal.js";

describe("parsePlatform", () => {
  it.each([
    { text: "linux/amd64", os: "linux", architecture: "amd64", variant: undefined },
    { text: "linux/arm64/v8", os: "linux", architecture: "arm64", variant: "v8" },
    { text: "linux/386", os: "linux", architecture: "386", variant: undefined },
    { text: "linux/x86_64", os: "linux", architecture: "x86_64", variant: undefined },
    { text: "linux/arm64/v8.1", os: "linux", architecture: "arm64", variant: "v8.1" },
  ])("reads $text, and formatPlatform writes it", ({ text, ...platform }) => {
    expect(parsePlatform(text)).toEqual(platform);
    expect(formatPlatform(parsePlatform(text))).toBe(text);
  });

  it.each([
    "",
    "linux",
    "linux/",
    "/amd64",
    "linux/amd64/",
    "linux/amd64/v1/x",
    "linux amd64",
    "linux/amd64\n",
    "../etc",
  ])("refuses %j and says what to write", (text) => {
    expect(refusal(() => parsePlatform(text))).toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("OS/ARCH"),
    });
  });
});

describe("hostPlatform", () => {
  it("is one that parsePlatform takes", () => {
    const host = hostPlatform();
    expect(host.os).toBe("linux");
    expect(parsePlatform(formatPlatform(host))).toEqual(host);
  });
});

describe("platformsAgree", () => {
  it.each([
    { wanted: "linux/amd64", offered: "linux/amd64", agree: true },
    { wanted: "linux/amd64", offered: "linux/arm64", agree: false },
    { wanted: "linux/amd64", offered: "windows/amd64", agree: false },
    { wanted: "linux/arm64", offered: "linux/arm64/v8", agree: true },
    { wanted: "linux/arm64/v8", offered: "linux/arm64", agree: true },
    { wanted: "linux/arm64/v8", offered: "linux/arm64/v9", agree: true },
    { wanted: "linux/arm/v7", offered: "linux/arm/v7", agree: true },
    { wanted: "linux/arm/v7", offered: "linux/arm/v6", agree: false },
    { wanted: "linux/arm", offered: "linux/arm/v6", agree: true },
    { wanted: "linux/arm/v6", offered: "linux/arm", agree: true },
    { wanted: "linux/amd64/v3", offered: "linux/amd64/v2", agree: false },
  ])("says $agree of $wanted and $offered", ({ wanted, offered, agree }) => {
    expect(platformsAgree(parsePlatform(wanted), parsePlatform(offered))).toBe(agree);
  });
});
