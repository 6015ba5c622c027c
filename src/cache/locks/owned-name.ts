import { formatIdentity, ownIdentity } from "../../host/process-identity.js";
import { uniqueWord } from "../../host/unique-word.js";

/** A name that nothing else has, for what belongs to this process as long as it lives. */
export function ownedName(): string {
  return `${formatIdentity(ownIdentity())},${uniqueWord()}`;
}
