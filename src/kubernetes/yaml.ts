import {
  Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  parseAllDocuments,
  visit,
} from "yaml";

/** What a YAML text says, or its first mistake. The mistake never quotes values. */
export type YamlReading = { readonly value: unknown } | { readonly mistake: YamlMistake };

export interface YamlMistake {
  /** To be read after the place. */
  readonly what: string;
  readonly line: number;
  readonly column: number;
  readonly kind?: "duplicate-key" | undefined;
}

/** More than any hand writes, and too few for a text that grows without end. */
const maxAliasCount = 2_000;

/**
 * Reads one document, with merge keys (`<<`). `1.2`: `yes` is a text and `010` a ten; `1.1`, as Kubernetes' own programs read:
 * `yes` is true, dates are texts, of two documents or keys one is taken, and unknown tags mean nothing.
 */
export function readYaml(text: string, version: "1.1" | "1.2" = "1.2"): YamlReading {
  const lines = new LineCounter();
  const mistake = (what: string, offset: number, kind?: YamlMistake["kind"]): YamlReading => {
    const { line, col } = lines.linePos(offset);
    return { mistake: { what, line: Math.max(line, 1), column: Math.max(col, 1), kind } };
  };
  const isLenient = version === "1.1";
  const found = parseAllDocuments(text, {
    version,
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
    ...(isLenient
      ? {
          uniqueKeys: false,
          customTags: (tags) =>
            tags.filter((tag) => typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:timestamp"),
        }
      : {}),
  });
  if (!Array.isArray(found)) return { value: null };
  const read = isLenient ? found.slice(0, 1) : found;
  const broken = read.flatMap((document) => document.errors)[0];
  if (broken !== undefined) {
    const kind = broken.code === "DUPLICATE_KEY" ? "duplicate-key" : undefined;
    return mistake(inWords(broken.code, broken.message), broken.pos[0], kind);
  }
  const [document, second] = read.filter(({ contents }) => !isEmpty(contents));
  if (document === undefined) return { value: null };
  if (second !== undefined) {
    return mistake(
      "a second document begins (---), but the file is read as one; keep one",
      startOf(second.contents),
    );
  }
  const unknown = document.warnings[0];
  if (unknown !== undefined && !isLenient) {
    return mistake(
      `${unknown.message.replace(/^Unresolved tag/, "unknown tag")}; write the value without it`,
      unknown.pos[0],
    );
  }
  const alias = aliasMistake(document);
  if (alias !== undefined) return mistake(alias.what, alias.offset);
  try {
    return { value: document.toJS({ maxAliasCount }) };
  } catch (error) {
    if (error instanceof ReferenceError) {
      return mistake("aliases (*name) of aliases make the file grow without end", firstAlias(document));
    }
    return mistake("a merge key (<<) must name a mapping, or a list of mappings", firstMerge(document));
  }
}

type Node = Document.Parsed["contents"];

function isEmpty(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null && contents.source === "");
}

function startOf(contents: Node): number {
  return contents?.range?.[0] ?? 0;
}

/** The parser's own words for these explain the parser, or quote the text. */
function inWords(code: string, message: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "the same key stands twice in one mapping";
    case "TAB_AS_INDENT":
      return "a tab stands where only spaces may indent";
    case "BAD_ALIAS":
      return "an alias (*name) has no name";
    default:
      return message.replaceAll(/"[^"]*"/g, '"…"').replace(/\.?$/, "");
  }
}

interface AliasMistake {
  readonly what: string;
  readonly offset: number;
}

/** An alias that nothing before it defines, or one inside of what it stands for. */
function aliasMistake(document: Document.Parsed): AliasMistake | undefined {
  let found: AliasMistake | undefined;
  visit(document, {
    Alias(_key, node, path) {
      const source = node.resolve(document);
      const offset = node.range?.[0] ?? 0;
      if (source === undefined) {
        found = {
          what: `the alias *${node.source} has no anchor &${node.source} before it (put the value in quotes if it is a text)`,
          offset,
        };
      } else if (path.includes(source as never)) {
        found = { what: `the alias *${node.source} stands inside of its own anchor`, offset };
      }
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function firstAlias(document: Document.Parsed): number {
  return firstOffset(document, (value) => isAlias(value));
}

function firstMerge(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Pair(_key, pair) {
      if (!isScalar(pair.key) || pair.key.source !== "<<") return undefined;
      const value = pair.value instanceof Alias ? pair.value.resolve(document) : pair.value;
      if (isMap(value)) return undefined;
      offset = pair.key.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function firstOffset(document: Document.Parsed, isIt: (node: unknown) => boolean): number {
  let offset = 0;
  visit(document, (_key, node) => {
    if (!isIt(node)) return undefined;
    offset = (isCollection(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined) ?? 0;
    return visit.BREAK;
  });
  return offset;
}
