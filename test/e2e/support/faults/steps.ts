const work = /tmp\/[^/]+/.source;
const temporary = /\S+/.source;

/** The steps of a staging that change what others see, by name: see {@link Fault.step}. */
export const stagingSteps: Readonly<Record<string, RegExp>> = {
  "the cache made": /^mkdir \.$/,
  "a directory of the cache made": /^mkdir tmp$/,
  "the place ahead of others taken": /^rename .* -> locks\/ahead-[^/]+$/,
  "a spare lock made": /^rename .* -> locks\/spare-[^/]+$/,
  "a lock begun": /^mkdir locks\/[^/]+$/,
  "a lock named": /^writeFile locks\/[^/]+\/[^/]+,/,
  "the image's lock taken": /^rename .* -> locks\/rootfs-[^/]+$/,
  "a layer's lock taken": /^rename .* -> locks\/layer-[^/]+$/,
  "a work directory made": new RegExp(`^mkdir ${work}$`),
  "a layer's tree begun": new RegExp(`^mkdir ${work}/tree$`),
  "a layer's file made": new RegExp(`^open ${work}/tree/`),
  "a layer's file written": new RegExp(`^write ${work}/tree/`),
  "a layer's link made": new RegExp(`^link ${work}/tree/`),
  "a layer's record written": new RegExp(`^writeFile ${temporary}layer.json`),
  "a layer's record put in place": new RegExp(`^rename ${temporary} -> ${work}/layer.json$`),
  "a layer marked": new RegExp(`^writeFile ${work}/boot-`),
  "a layer published": /^rename .* -> layers\/[^/]+$/,
  "a layer's lock disowned": /^unlink locks\/layer-/,
  "a layer's lock released": /^rmdir locks\/layer-/,
  "a file linked": new RegExp(`^link layers/.* -> ${work}/rootfs/`),
  "a mount point made": new RegExp(`^mkdir ${work}/rootfs/proc$`),
  "the entry written": new RegExp(`^writeFile ${temporary}entry.json`),
  "the entry put in place": new RegExp(`^rename ${temporary} -> ${work}/entry.json$`),
  "the disk told to write": /^spawn sync /,
  "a layer marked as durable": /^rename layers\/\S+ -> layers\/[^/]+\/durable$/,
  "the entry marked as durable": new RegExp(`^rename ${work}/\\S+ -> ${work}/durable$`),
  "the entry published": /^rename .* -> rootfs\/[^/]+$/,
  "the publishing made durable": /^fsync rootfs$/,
  "room reserved": /^open tmp\/[^/]+,room/,
  "a place for leases made": /^mkdir leases\/[^/]+$/,
  "a lease taken": /^open leases\/[^/]+\//,
  "how far it is told": /^writeFile tmp\/[^/]+,status-[^/]+$/,
  "the index written": /^writeFile tmp\/[^/]+,[0-9a-z]+-[0-9a-z]+$/,
  "the index put in place": new RegExp(`^rename ${temporary} -> index/`),
  "the image's lock disowned": /^unlink locks\/rootfs-/,
  "the image's lock released": /^rmdir locks\/rootfs-/,
};

/** Those of a staging that goes on after a killed one. */
export const sweepingSteps: Readonly<Record<string, RegExp>> = {
  "a dead process's directory emptied": new RegExp(`^unlink ${work}/`),
  "a dead process's directory removed": new RegExp(`^rmdir ${work}$`),
  "a dead process's lock disowned": /^unlink locks\/layer-/,
  "a dead process's lock removed": /^rmdir locks\/layer-/,
};
