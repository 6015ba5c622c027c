/** What {@link zstdSample} holds: text with enough in common to be compressed in earnest. */
export const zstdSampleContent: Buffer = Buffer.from(
  Array.from({ length: 200 }, (_, i) => `stage-rootfs ${i * i}\n`).join(""),
);

/** Made by the zstd program with `-19 --check`: Huffman-coded literals, sequences and a checksum. */
export const zstdSample: Buffer = Buffer.from(
  [
    "KLUv/WRGDS0NAKboTBSgp5ID8rzm+f8i0hLZsgI4uOITI0wAQwBEAI6XjgkV3q+pwmRJplZx0ZtQdPyd",
    "Omwkj9L2Dl9Iyz6lNktfp3MGB6EdTumsUucyPhYh/bsdpW3q1yH03g2IwGDAQUFBAQACCAQ4MAgztd8u",
    "OKHmzeWqGjVp01S+6lGoO+Z13Q2lzfg23OKHkBaFz5RhFqkrO/J5hyC0Q8/obJVIn0PpTy0hpK/eb2cM",
    "kjdtFapeuBrVgiMJJ7L65S0m1BzhrVhPnJE8xlv9DvOOkGP5x2WDF6Sv7oTPeSO0Q8g56UxrqZ3X8h+H",
    "NIQM/3dohQxK4wIDk1/x18w6Qo3D4WWox1NL8xikDbnfS4WsZT6NcuEglavY8c5YXGiFAxXnO/Ly0meZ",
    "kvOZIBKEDP7c4pbmJcuGUv91IwKAx6gQEIW2vQPgpcYQfoS5D11WBmCJ42EFIQ0mx9sAziTWW0D0QO5c",
    "ZRmSaqSV/sJ+pMw8vTIlbjTMeIqX5HG/uyOq/oX8BqgPiLKAcgOBNAAL9NN4JbZ5HaX61Vlfff+Ztrvf",
    "ebdP3wCBmUDATgEbv0Pv",
  ].join(""),
  "base64",
);
