import { Clients } from "./clients.ts";
import { ModelProject } from "./model-project.ts";

/** What moving traffic costs at the least: somebody patches the Ingress of a model by hand. */
export class Floor {
  readonly #project: ModelProject;
  #live: "blue" | "green" = "blue";

  private constructor(project: ModelProject) {
    this.#project = project;
  }

  static async create(): Promise<Floor> {
    const project = await ModelProject.create("floor");
    await project.configure({ router: "plain" });
    await project.result(["up"]);
    return new Floor(project);
  }

  /** Milliseconds from the patch until the last client was sent who did not get the other slot. */
  async measure(): Promise<number> {
    const { namespace, host } = this.#project;
    const to = this.#live === "blue" ? "green" : "blue";
    const version = to === "blue" ? "1" : "2";
    const clients = new Clients(this.#project);
    const service = { name: `fraud-${to}`, port: { number: 80 } };
    const paths = [{ path: "/", pathType: "Prefix", backend: { service } }];
    const start = performance.now();
    await namespace.api.json({
      method: "PATCH",
      path: `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/ingresses/fraud`,
      contentType: "application/merge-patch+json",
      body: { spec: { rules: [{ host, http: { paths } }] } },
    });
    await clients.untilOn(version, () => false);
    this.#live = to;
    return await clients.lastOther(version, start);
  }

  async remove(): Promise<void> {
    await this.#project.remove();
  }
}
