/**
 * What root would keep in a sandbox, and could leave it with: by mounting the root or an input anew,
 * writable, by changing the host's network or kernel, by opening files by their handles.
 */
export const capabilitiesOut: readonly string[] = [
  "CAP_SYS_ADMIN",
  "CAP_NET_ADMIN",
  "CAP_DAC_READ_SEARCH",
  "CAP_MKNOD",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_PTRACE",
  "CAP_SYS_BOOT",
  "CAP_SYS_TIME",
  "CAP_SYSLOG",
];
