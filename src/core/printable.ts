/** Sequences that move the cursor, set colours or titles, and the control characters that are left; tab and line break stay. */
const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text that comes from pods, servers and files, without what a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(controls, "");
}
