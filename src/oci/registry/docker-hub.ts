/** Docker Hub, as references name it. */
export const dockerHub = "docker.io";

/** The key that `docker login` keeps the credentials of Docker Hub under. */
export const dockerHubKey = "https://index.docker.io/v1/";

/** Where its images are to be had. */
export const dockerHubHost = "registry-1.docker.io";

const otherHosts = ["index.docker.io", dockerHubHost];

/** All that auth files call Docker Hub by. */
export const dockerHubKeys: readonly string[] = [dockerHub, ...otherHosts, dockerHubKey];

/** A registry's host, `HOST[:PORT]`, with one name for Docker Hub, which goes by several. */
export function canonicalHost(host: string): string {
  return otherHosts.includes(host) ? dockerHub : host;
}

export function isDockerHub(host: string): boolean {
  return canonicalHost(host) === dockerHub;
}
