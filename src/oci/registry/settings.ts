/** How registries are reached. */
export interface RegistrySettings {
  /** The only file to look for logins in; default: those of containers-auth.json(5). */
  readonly authFile?: string | undefined;
  /** Default: the files of registries.conf(5). */
  readonly registriesConf?: string | undefined;
  /** A directory with CAs and client certificates; default: those of containers-certs.d(5). */
  readonly certDir?: string | undefined;
  /** `HOST[:PORT]` of registries that may be used without TLS or with any certificate. */
  readonly insecure?: readonly string[] | undefined;
  /** Whether names without a host are looked up in registries.conf. Default: Docker Hub's. */
  readonly shortNames?: boolean | undefined;
  /** Whether layers may be fetched from where they say they are. Default: false. */
  readonly allowForeignLayers?: boolean | undefined;
}
