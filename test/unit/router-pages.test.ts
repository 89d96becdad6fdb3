import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { routerNamed } from "../../src/component/routers/factory.ts";
import { backendPort, healthPathOf } from "../../src/component/service-port.ts";
import { resolveConfig } from "../../src/config/model/resolve.ts";
import { validateConfig } from "../../src/config/model/validate.ts";

/** Controllers that run in no test: what their pages show is all that there is to look at, so it is what their routers write. */
const notRun = ["alb", "istio", "nginx-inc"] as const;
const folder = join(import.meta.dirname, "..", "..", "docs", "routers");

/** The first block in a language. */
function blockOf(page: string, language: string): string {
  const [, text] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(page) ?? [];
  if (text === undefined) throw new Error(`The page has no block in ${language}.`);
  return text;
}

describe.each(notRun)("the page of the router %s", (name) => {
  const page = readFileSync(join(folder, `${name}.md`), "utf8");

  test("says that its controller was not run", () => {
    expect(page).toMatch(/^\*\*Not run here\*\*/m);
  });

  test("shows what its example becomes, with a quarter on green", () => {
    const file = join(folder, "modelswitch.config.ts");
    // What stands in the program are values alone, which YAML writes alike.
    const [, given = ""] = /defineConfig\(([\s\S]*)\);/.exec(blockOf(page, "ts")) ?? [];
    const config = validateConfig(parse(given), file);
    const { ingress, server, router, previewHeader, servicePort } = resolveConfig(config, {
      file,
      kubeconfig: {},
      contextNamespace: undefined,
    });
    expect(router).toBe(name);
    const objects = routerNamed(router).objects({
      model: config.name,
      namespace: undefined,
      routing: { main: "blue", candidate: "green", weight: 25 },
      ingress,
      previewHeader,
      servicePort,
      backend: backendPort(ingress.protocol, servicePort, server),
      keepAliveSeconds: server.keepAliveSeconds,
      healthPath: healthPathOf(server),
    });
    const shown = objects.map(({ metadata: { labels: _labels, ...metadata }, ...object }) => ({
      ...object,
      metadata,
    }));
    const documents = parseAllDocuments(blockOf(page, "yaml")).map((one) => one.toJS() as unknown);
    expect(documents).toEqual(shown);
  });
});
