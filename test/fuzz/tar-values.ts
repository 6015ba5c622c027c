/** A field of a tar header, and what one may find in it. */
export interface Field {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  /** Whether it holds a path; its values are then the archive's own and the hostile ones. */
  readonly isName: boolean;
  readonly values: readonly string[];
}

/** The type flags there are, known or not. */
export const types: readonly string[] = [
  ..."01234567",
  ..."xgLKSDMNVXAQ",
  "\0",
  " ",
  "\xff",
  "\n",
  "\x1b",
];

/** Numbers as headers hold them: octal, base 256, and what is neither. */
const numbers = [
  "",
  "0",
  "00000000000",
  "00000000001",
  "00000000777",
  "00000001000",
  "00000100000",
  "0007777",
  "77777777777",
  "777777777777",
  "7777777",
  "8",
  "-1",
  "0x10",
  "1 2",
  "       7",
  "\0\0\x37\0",
  "\x80\0\0\0\0\0\0\0\0\0\x02\0",
  "\x80\0\0\0\0\0\0\x01",
  "\x80\0\0\0\xff\xff\xff\xff",
  "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
  "\xff\xff\xff\xff\xff\xff\xff\xfe",
  "\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
  "\xc0\0\0\0\0\0\0\0\0\0\0\0",
];

const magics = ["ustar\x0000", "ustar  \0", "", "ustar", "ustar\0  ", "GNUtar \0"];

const words = ["", "root", "x".repeat(32), "\xff\xfe", "a\nb", "\x1b[31m"];

function field(name: string, at: number, more: Pick<Field, "length" | "values">): Field {
  return { name, at, isName: false, ...more };
}

function nameField(name: string, at: number, length: number): Field {
  return { name, at, length, isName: true, values: [] };
}

export const fields: readonly Field[] = [
  nameField("the name", 0, 100),
  field("the mode", 100, { length: 8, values: [...numbers, "0004755", "0002755", "0001777"] }),
  field("the uid", 108, { length: 8, values: numbers }),
  field("the gid", 116, { length: 8, values: numbers }),
  field("the size", 124, { length: 12, values: numbers }),
  field("the mtime", 136, { length: 12, values: numbers }),
  nameField("the link name", 157, 100),
  field("the magic", 257, { length: 8, values: magics }),
  field("the user", 265, { length: 32, values: words }),
  field("the group", 297, { length: 32, values: words }),
  field("the major number", 329, { length: 8, values: numbers }),
  field("the minor number", 337, { length: 8, values: numbers }),
  nameField("the prefix", 345, 155),
];

/** Names that mean harm, or that only look like it. The working directory holds the canary. */
export const hostileNames: readonly string[] = [
  "",
  ".",
  "./",
  "/",
  "//",
  "..",
  "../",
  "../x",
  "../../../canary/f",
  "a/../../x",
  "a/..",
  "/proc/self/cwd/canary/f",
  "/proc/self/cwd/canary/dir",
  "/../../../../../../../../proc/self/cwd/canary/new",
  "../../../canary",
  "../../../canary/dir",
  "./././a",
  "a//b",
  "a/",
  "a/./b/",
  ".wh.",
  ".wh..",
  ".wh...",
  ".wh..wh.",
  ".wh..wh..opq",
  ".wh..wh.plnk",
  ".wh.a",
  "a/.wh.b",
  "a/.wh..wh..opq",
  ".wh.a/b",
  "n".repeat(100),
  "a/".repeat(50),
  "../".repeat(33),
  "./".repeat(50),
  "a\nb",
  "\x1b[2J",
  "\x7f\x9b",
  "\xff\xfe",
  "\xc3\xa9",
  "\xe2\x80\xae",
  "a\\b",
  "C:\\x",
  " ",
  "-rf",
  "__proto__",
  "constructor",
  "etc",
  "etc/passwd",
  "tmp",
  "proc",
  "dev",
  "run",
];

export const paxKeywords: readonly string[] = [
  "path",
  "path",
  "linkpath",
  "linkpath",
  "size",
  "size",
  "uid",
  "gid",
  "mtime",
  "atime",
  "uname",
  "hdrcharset",
  "comment",
  "GNU.sparse.major",
  "GNU.sparse.name",
  "SCHILY.xattr.user.a",
  "SCHILY.xattr.security.capability",
  "SCHILY.xattr.",
  "SCHILY.xattr.__proto__",
  "SCHILY.xattr.constructor",
  "LIBARCHIVE.xattr.user.a",
  "__proto__",
];

export const paxValues: readonly string[] = [
  "",
  "0",
  "1",
  "512",
  "1000000",
  "-1",
  "-0",
  "1.5",
  "1.",
  "-1.999999999",
  "4294967294",
  "4294967295",
  "4294967296",
  "2147483648",
  "8589934592",
  "253402300799",
  "253402300800.5",
  "99999999999999999999",
  "-99999999999999999999",
  "9007199254740991",
  "9007199254740992",
  "1e3",
  "0x10",
  " 1",
  "1\0",
  "\xff\xfe\x00",
  "a=b\nc",
  "x".repeat(2000),
];
