import { describe, expect, it } from "vitest";
import { mergeRegistriesConf } from "../../../src/oci/registry/registries-conf.js";
import { parseRegistriesConf } from "../../../src/oci/registry/registries-conf-file.js";
import { formatRegistryReference } from "../../../src/oci/registry/repository.js";
import { shortNameCandidates } from "../../../src/oci/registry/short-names.js";
import { refusal } from "../../support/refusal.js";

const file = "/etc/containers/registries.conf";
const digest = `sha256:${"0".repeat(64)}`;

function candidates(text: string, toml: string) {
  const conf = mergeRegistriesConf([parseRegistriesConf(toml, file)]);
  return shortNameCandidates(text, conf).map(formatRegistryReference);
}

const two = 'unqualified-search-registries = ["one.io", "docker.io"]\n';
const aliases = '[aliases]\ntool = "quay.io/team/tool"\n"my/tool" = "docker.io/tool"\n';

describe("shortNameCandidates", () => {
  it.each([
    { text: "other.io/tool:1", are: ["other.io/tool:1"] },
    { text: "localhost/tool", are: ["localhost/tool:latest"] },
    { text: "tool", are: ["quay.io/team/tool:latest"] },
    { text: "tool:1", are: ["quay.io/team/tool:1"] },
    { text: `tool@${digest}`, are: [`quay.io/team/tool@${digest}`] },
    { text: `tool:1@${digest}`, are: [`quay.io/team/tool:1@${digest}`] },
    { text: "my/tool:1", are: ["docker.io/library/tool:1"] },
    { text: "unknown:1", are: ["one.io/unknown:1", "docker.io/library/unknown:1"] },
    { text: "an/unknown", are: ["one.io/an/unknown:latest", "docker.io/an/unknown:latest"] },
    { text: "tool/sub", are: ["one.io/tool/sub:latest", "docker.io/tool/sub:latest"] },
  ])("of $text are $are", ({ text, are }) => {
    expect(candidates(text, two + aliases)).toEqual(are);
  });

  it("are not guessed where nothing is configured", () => {
    expect(refusal(() => candidates("tool:1", ""))).toMatchObject({
      code: "NOT_FOUND",
      message: "nothing says which registry has tool:1",
      hint: expect.stringContaining("unqualified-search-registries"),
    });
  });

  it.each([
    { mode: "permissive", registries: two, are: ["one.io/a:1", "docker.io/library/a:1"] },
    { mode: "disabled", registries: two, are: ["one.io/a:1", "docker.io/library/a:1"] },
    {
      mode: "enforcing",
      registries: 'unqualified-search-registries = ["one.io"]\n',
      are: ["one.io/a:1"],
    },
  ])("in the mode $mode are $are", ({ mode, registries, are }) => {
    expect(candidates("a:1", `short-name-mode = "${mode}"\n${registries}`)).toEqual(are);
  });

  it("are refused in the mode enforcing where there are several", () => {
    const toml = `short-name-mode = "enforcing"\n${two}${aliases}`;
    expect(refusal(() => candidates("a:1", toml))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      message: `a:1 may be at one.io, docker.io, and ${file} says not to guess`,
      hint: expect.stringContaining("docker://one.io/a:1"),
    });
    expect(candidates("tool", toml)).toEqual(["quay.io/team/tool:latest"]);
  });

  it.each(["", "Tool", "a b", "other.io/", "a@sha256:0"])("are refused for %j", (text) => {
    expect(refusal(() => candidates(text, two + aliases)).code).toBe("USAGE");
  });
});
