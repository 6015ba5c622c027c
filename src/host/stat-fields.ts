/**
 * The fields of a /proc/PID/stat from the third on, the state: index 0 is field 3 of proc(5). The
 * second, the command's name in parentheses, may hold anything.
 */
export function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
