/** Whether a URL's host is this machine, so that what is sent there crosses no network. */
export function isLoopback({ hostname }: URL): boolean {
  // URL has brought every spelling of an IPv4 address into this form.
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
