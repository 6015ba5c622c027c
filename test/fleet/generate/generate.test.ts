import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { generate } from "../../../src/fleet/generate/generate.js";
import { type Template, templates } from "../../../src/fleet/generate/templates.js";

const program = ["/opt/node/bin/node", "/opt/stage rootfs/bin/stage-rootfs.cjs"] as const;

/** With a value for all that can be said. */
function full(template: Template): ReturnType<typeof generate> {
  const options = Object.fromEntries(Object.keys(template.options).map((name) => [name, "odd '1"]));
  const images = template.words.images === "none" ? [] : ["docker://registry.example.org/*"];
  const command = template.words.images === "one" && template.words.command ? ["a b", "c"] : [];
  return generate(template, { program, options, limits: ["--max-size", "1G"], images, command });
}

const scripts = templates.flatMap((template) =>
  [...generate(template, { program }), ...full(template)]
    .filter(({ isExecutable }) => isExecutable)
    .map(({ text }) => [template.name, text] as const),
);

describe("what is generated", () => {
  test.each(scripts)("is a script that sh reads: %s", (_, text) => {
    expect(execFileSync("sh", ["-n"], { input: text, encoding: "utf8" })).toBe("");
  });

  test.each(templates.map((template) => [template.name, template] as const))(
    "has each option at its top: %s",
    (_, template) => {
      const text = full(template)
        .map((file) => file.text)
        .join("");
      if (!full(template)[0]?.isExecutable) return expect(text).toContain('--cache-dir "odd \'1"');
      for (const variable of Object.values(template.options).flat()) {
        expect(text).toMatch(new RegExp(`^${variable}='odd '\\\\''1'$`, "m"));
      }
      for (const variable of template.limits) {
        expect(text).toMatch(new RegExp(`^${variable}='--max-size 1G'$`, "m"));
      }
      expect(text).toMatch(/^NODE=\/opt\/node\/bin\/node$/m);
      expect(text).toMatch(/^STAGE_ROOTFS='\/opt\/stage rootfs\/bin\/stage-rootfs\.cjs'$/m);
    },
  );

  test("names the images where there are any", () => {
    const text = (name: string, images: readonly string[]) => {
      const template = templates.find((each) => each.name === name);
      if (!template) throw new Error(`there is no ${name}`);
      return generate(template, { program, images })
        .map((file) => file.text)
        .join("");
    };
    expect(text("slurm-prolog", ["docker://a/*", "docker://b/*"])).toContain(
      "\nSHARED_IMAGES='docker://a/* docker://b/*'\n",
    );
    expect(text("slurm-prolog", [])).toContain("\nSHARED_IMAGES=\n");
    expect(text("systemd", ["docker://a/b"])).toContain(
      " warm --shared --retry 3 --deadline 900 docker://a/b\n",
    );
    expect(text("systemd", [])).toContain(" --file /etc/stage-rootfs/images.txt\n");
  });
});
