import { type CredentialSubject, decodeEntry, findEntry } from "./auth-entry.js";
import { type AuthDocument, readAuthFile } from "./auth-file.js";
import { type AuthFile, authFilesInOrder, homeDirectory } from "./auth-file-paths.js";
import { askHelper, type HelperOptions } from "./credential-helper.js";
import { dockerHubKey, dockerHubKeys, isDockerHub } from "./docker-hub.js";

/** What shows a registry, or its token server, who asks. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token; the user's name may be empty. */
  | { readonly kind: "identity-token"; readonly username: string; readonly token: string };

export interface CredentialOptions extends HelperOptions {
  /** The user's `--authfile`. */
  readonly authFile: string | undefined;
}

/**
 * Finds the user's credentials for a repository where Podman, Skopeo and Docker keep them:
 * containers-auth.json(5) and what containers/image does about it, and `credsStore`, as Docker does.
 * The first file that has some decides; a helper for the registry goes before what stands in its
 * file, and a store for all registries after.
 * @returns undefined: none, so go anonymous
 * @throws StageError CONFIG for a file or a helper that can't be used
 */
export async function findCredentials(
  subject: CredentialSubject,
  options: CredentialOptions,
): Promise<Credentials | undefined> {
  const { authFile, env } = options;
  const uid = process.getuid?.() ?? 0;
  for (const file of authFilesInOrder({ authFile, env, uid, home: homeDirectory(env) })) {
    const document = await readAuthFile(file);
    const found = document && (await findInDocument(subject, { file, document, options }));
    if (found) return found;
  }
  return undefined;
}

interface Place {
  readonly file: AuthFile;
  readonly document: AuthDocument;
  readonly options: HelperOptions;
}

async function findInDocument(
  subject: CredentialSubject,
  { file, document, options }: Place,
): Promise<Credentials | undefined> {
  const askedBy = file.path;
  const helper = helperFor(subject.registry, document);
  if (helper?.name) return askHelper({ ...helper, askedBy }, options);
  const found = findEntry(subject, { auths: document.auths, isLegacy: file.isLegacy });
  const stored = found && decodeEntry(found.entry, `${file.path}: auths.${found.key}`);
  // An empty name for one registry is how Docker is told not to ask the store.
  if (stored || helper || document.credsStore === undefined) return stored;
  const server = isDockerHub(subject.registry) ? dockerHubKey : subject.registry;
  return askHelper({ name: document.credsStore, server, askedBy }, options);
}

/** The helper for one registry, with the key that it is named under: a helper knows no other. */
function helperFor(registry: string, { credHelpers }: AuthDocument) {
  const keys = isDockerHub(registry) ? dockerHubKeys : [registry];
  const server = keys.find((key) => credHelpers.has(key));
  return server === undefined ? undefined : { server, name: credHelpers.get(server) ?? "" };
}
