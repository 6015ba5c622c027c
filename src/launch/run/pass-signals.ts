import type { SignalDelivery } from "./deliver-signals.js";

/** The signals that are meant for what runs in the sandbox. */
const passedOn: readonly NodeJS.Signals[] = ["SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"];

/** Those that a terminal sends by itself, to all who share it. */
const ofTerminal: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** Those that a command learns of by itself where it shares our terminal. */
const ofSession: readonly NodeJS.Signals[] = ["SIGWINCH", "SIGCONT"];

/**
 * Passes signals that this process gets on to the command.
 * @param options.terminal whether the command shares our terminal. Then keys that interrupt reach it
 * without us, and this process only does not die of them; SIGTSTP stops all of us, as it should
 * @returns what ends that
 */
export function passSignals(
  delivery: SignalDelivery,
  { terminal }: { readonly terminal: boolean },
): () => void {
  const pass = (signal: NodeJS.Signals) => delivery.send(signal);
  const ignore = () => undefined;
  const passed = terminal ? passedOn : [...passedOn, ...ofTerminal, ...ofSession];
  const ignored = terminal ? ofTerminal : [];
  for (const signal of passed) process.on(signal, pass);
  for (const signal of ignored) process.on(signal, ignore);
  return () => {
    for (const signal of passed) process.off(signal, pass);
    for (const signal of ignored) process.off(signal, ignore);
  };
}
