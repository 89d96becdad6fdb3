/** Offset at which a text stops being JSON; its length when it ends too early. The engine's own message often has none. */
export function jsonErrorOffset(text: string): number {
  let at = 0;
  const space = /[ \t\r\n]*/y;
  const scalar =
    /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const take = (character: string): boolean => {
    skip(space);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const list = (close: string, item: () => boolean): boolean => {
    if (take(close)) return true;
    do {
      if (!item()) return false;
    } while (take(","));
    return take(close);
  };
  const value = (): boolean => {
    if (take("{")) return list("}", () => key() && take(":") && value());
    if (take("[")) return list("]", value);
    skip(space);
    return skip(scalar);
  };
  const key = (): boolean => {
    skip(space);
    return text[at] === '"' && skip(scalar);
  };
  if (value()) skip(space);
  return at;
}
