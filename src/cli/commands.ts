import { cacheCommands } from "./commands/cache-commands.js";
import type { Command } from "./commands/command.js";
import { fleetCommands } from "./commands/fleet-commands.js";
import { imageCommands } from "./commands/image-commands.js";

/** In the order in which help lists them. Each is loaded when it is called. */
export const commands: readonly [Command, ...Command[]] = [
  ...imageCommands,
  ...fleetCommands,
  ...cacheCommands,
];

/** The command that a first word names; undefined when it is no command's name. */
export function findCommand(word: string | undefined): Command | undefined {
  return commands.find(({ name }) => name !== "" && name === word);
}
