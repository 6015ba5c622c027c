import { expect, test } from "vitest";
import { formatSize } from "../../src/host/format-size.js";

test.each([
  [0, "0 B"],
  [1, "1 B"],
  [1023, "1023 B"],
  [1024, "1.00 KiB"],
  [1536, "1.50 KiB"],
  [10.25 * 1024 ** 2, "10.3 MiB"],
  [123.4 * 1024 ** 3, "123 GiB"],
  [2 * 1024 ** 5, "2.00 PiB"],
  [5000 * 1024 ** 5, "5000 PiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
