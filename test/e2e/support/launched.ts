import { array, boolean, nullable, object, picklist, string } from "valibot";

/** What `--json` says of a staged image, as far as it takes that to plan a launch. */
export const launchSchema = object({
  rootfs: string(),
  config: object({
    env: array(string()),
    entrypoint: nullable(array(string())),
    cmd: nullable(array(string())),
    workingDir: nullable(string()),
  }),
  mountPoints: array(
    object({
      target: string(),
      path: string(),
      kind: picklist(["dir", "file"]),
      created: boolean(),
    }),
  ),
});
