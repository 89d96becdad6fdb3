/** No line of a journal, a history or a message needs more, characters. */
const longest = 400;

/**
 * What a message says before it goes into details: its first line, with the next where that only announces it. Lines that quote
 * logs and events are left out of whatever is kept or sent: pods may print anything. Pure.
 */
export function headline(text: string): string {
  const [first = "", second = ""] = text.split("\n");
  const line =
    first.trimEnd().endsWith(":") && !/^\s*log:/.test(second) ? `${first.trimEnd()} ${second.trim()}` : first;
  return shortened(line.trim());
}

/** At the most so many characters, 400 unless said otherwise, none of them cut in half. Pure. */
export function shortened(text: string, most = longest): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
