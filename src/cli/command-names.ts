/** Words that call a command when they come first; any other first word is an image. */
const commandNames = [
  "run",
  "shell",
  "command",
  "inspect",
  "warm",
  "ls",
  "du",
  "rm",
  "release",
  "gc",
  "verify",
  "doctor",
  "generate",
] as const;

export type CommandName = (typeof commandNames)[number];

export function isCommandName(word: string): word is CommandName {
  return commandNames.some((name) => name === word);
}
