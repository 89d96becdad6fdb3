import { Document, isMap, isSeq } from "yaml";
import { routerNamed } from "../../component/routers/factory.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { type ObjectNames, objectNames } from "../../core/names.ts";
import {
  metricsRows,
  type OptionalRow,
  optionalRows,
  type RoutingNeeds,
} from "../../core/optional-permissions.ts";
import { isNamed, namesOf, type PolicyRule } from "../../core/permission-checks.ts";
import {
  type NamedObjects,
  type PermissionRow,
  type PermittedCommand,
  requiredRows,
  stateRow,
  verbs,
} from "../../core/permissions.ts";
import type { RouterName } from "../../core/router-names.ts";
import { allStateNames, stateNames } from "../../state/names.ts";

/** Who gets the permissions. */
export interface Subject {
  readonly kind: "ServiceAccount" | "User" | "Group";
  readonly name: string;
}

export interface RoleOptions {
  readonly model: string;
  /** Names of the model's objects. */
  readonly names: ObjectNames;
  readonly namespace: string;
  /** What is written depends on it. @default nginx */
  readonly router?: RouterName;
  /** Routers that are written beside it, while the model moves from one to another. @default none */
  readonly alsoRouters?: readonly RouterName[];
  /** Only what `status`, `plan` and `doctor` need. */
  readonly readOnly: boolean;
  /** With the permissions that make commands quicker and messages better. */
  readonly withOptional: boolean;
  /** Objects of any name: for several models in the namespace, and for programs of one's own. */
  readonly anyName: boolean;
  /** Namespaces of the ingress controller whose pods' metrics are to be read. @default none */
  readonly metricsNamespaces?: readonly string[];
  /** Secrets that hold headers which proofs send. @default none */
  readonly headerSecrets?: readonly string[];
  /** Secrets that hold Pulumi's state. @default none */
  readonly stateSecrets?: readonly string[];
  readonly subjects: readonly Subject[];
}

/** A rule, and what it is for. */
export interface ExplainedRule {
  readonly rule: PolicyRule;
  readonly why: string;
}

const lookers: readonly PermittedCommand[] = ["status", "plan", "doctor"];
const workers: readonly PermittedCommand[] = [
  "status",
  "plan",
  "doctor",
  "up",
  "switch",
  "destroy",
  "adopt",
  "init",
  "release",
  "engine",
];

/** Rules that grant the rows to the commands: where Kubernetes can tell by name, only the model's own objects. */
export function rulesFor(
  rows: readonly PermissionRow[],
  commands: readonly PermittedCommand[],
  model: ObjectNames | undefined,
): readonly ExplainedRule[] {
  return rows.flatMap((row) => {
    const wanted = verbs.filter((verb) => row.verbs[verb]?.some((command) => commands.includes(command)));
    const ofModel = model === undefined ? undefined : namesOf(row.names, model);
    const names = row.objects ?? ofModel;
    const rule = (some: readonly string[], resourceNames?: readonly string[]): ExplainedRule[] =>
      some.length === 0
        ? []
        : [
            {
              rule: {
                apiGroups: [row.group],
                resources: [row.resource],
                ...(resourceNames === undefined ? {} : { resourceNames }),
                verbs: some,
              },
              why: row.why,
            },
          ];
    if (names === undefined) return rule(wanted);
    return [
      ...rule(
        wanted.filter((verb) => !isNamed(verb)),
        undefined,
      ),
      ...rule(wanted.filter(isNamed), names),
    ];
  });
}

const optionalIn = (scope: OptionalRow["scope"], needs: RoutingNeeds) =>
  optionalRows(needs).filter((row) => row.scope === scope);

/** Whoever only looks gets no secret: `doctor` says then that it cannot ask the ingress with these headers. */
function secretRows(names: readonly string[] = []): readonly PermissionRow[] {
  return names.map((object) => ({
    group: "",
    resource: "secrets",
    names: "any",
    objects: [object],
    verbs: { get: ["up", "switch"] },
    why: "the headers with which the ingress is asked (ingress.probe.headers)",
  }));
}

/** The Secrets that the configuration names for headers of proofs, each once. Pure. */
export function headerSecretsOf({
  probeHeaders = {},
  metrics,
}: Pick<ResolvedConfig, "probeHeaders" | "metrics">): string[] {
  const sources = [...Object.values(probeHeaders), ...Object.values(metrics?.prometheus?.headers ?? {})];
  const names = sources.flatMap((source) =>
    typeof source === "object" && "secret" in source ? [source.secret] : [],
  );
  return [...new Set(names)];
}

/** The Secrets that a model's state is in, where the configuration does not name another place. Pure. */
export function stateSecretsOf(
  config: Pick<ResolvedConfig, "name" | "pulumi">,
): readonly string[] | undefined {
  const { backendUrl, secretsProvider, project, stack } = config.pulumi;
  if (backendUrl !== undefined || secretsProvider !== undefined) return undefined;
  return allStateNames(stateNames(config.name, { project, stack }));
}

/** Name of the Role; the model's, so that it can be found. */
export function roleName({ model, readOnly }: Pick<RoleOptions, "model" | "readOnly">): string {
  return `${model}-modelswitch${readOnly ? "-read" : ""}`;
}

export interface Manifest {
  readonly object: Readonly<Record<string, unknown>>;
  /** One for each rule. */
  readonly comments: readonly string[];
}

/** What several routers need, each row once. */
function needsOf(routers: readonly RouterName[]): RoutingNeeds {
  const all = routers.map(routerNamed);
  const once = <T>(values: readonly T[]) => [
    ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
  ];
  return {
    rights: once(all.flatMap(({ rights }) => rights)),
    reads: once(all.flatMap(({ reads }) => reads)),
  };
}

/** The Role, with its binding where somebody is to get it. */
export function roleManifests(options: RoleOptions): readonly Manifest[] {
  const { namespace, readOnly, withOptional, subjects, router = defaults.router, alsoRouters = [] } = options;
  const needs = needsOf([router, ...alsoRouters]);
  const commands = readOnly ? lookers : workers;
  const model = options.anyName ? undefined : options.names;
  const name = roleName(options);
  const labels = { "app.kubernetes.io/name": options.model, "app.kubernetes.io/part-of": "modelswitch" };
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const rules = rulesFor(
    [
      ...requiredRows(needs.rights),
      ...secretRows(options.headerSecrets),
      // By name also with `anyName`: nobody gets all Secrets of a namespace.
      ...(options.stateSecrets === undefined ? [] : [stateRow(options.stateSecrets)]),
      ...(withOptional ? optionalIn("namespace", needs) : []),
    ],
    commands,
    model,
  );
  const role: Manifest = {
    object: {
      apiVersion,
      kind: "Role",
      metadata: { name, namespace, labels },
      rules: rules.map(({ rule }) => rule),
    },
    comments: rules.map(({ why }) => why),
  };
  // Its name has the namespace in it, since it belongs to the whole cluster.
  const clusterName = `${namespace}-${name}`;
  const clusterRules = withOptional ? rulesFor(optionalIn("cluster", needs), commands, undefined) : [];
  const clusterRole: Manifest = {
    object: {
      apiVersion,
      kind: "ClusterRole",
      metadata: { name: clusterName, labels },
      rules: clusterRules.map(({ rule }) => rule),
    },
    comments: clusterRules.map(({ why }) => why),
  };
  const bound = subjects.map((subject) =>
    subject.kind === "ServiceAccount"
      ? { ...subject, namespace }
      : { ...subject, apiGroup: "rbac.authorization.k8s.io" },
  );
  const binding = (kind: "Role" | "ClusterRole", refers: string, metadata: object): Manifest[] =>
    subjects.length === 0
      ? []
      : [
          {
            object: {
              apiVersion,
              kind: `${kind}Binding`,
              metadata,
              roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: refers },
              subjects: bound,
            },
            comments: [],
          },
        ];
  return [
    role,
    ...binding("Role", name, { name, namespace, labels }),
    ...(clusterRules.length === 0
      ? []
      : [clusterRole, ...binding("ClusterRole", clusterName, { name: clusterName, labels })]),
    ...(options.metricsNamespaces ?? []).flatMap((controller) => {
      // Several models' accounts may read the same controller.
      const metadata = { name: `${clusterName}-metrics`, namespace: controller, labels };
      const explained = rulesFor(metricsRows, commands, undefined);
      return [
        {
          object: { apiVersion, kind: "Role", metadata, rules: explained.map(({ rule }) => rule) },
          comments: explained.map(({ why }) => why),
        },
        ...binding("Role", metadata.name, metadata),
      ];
    }),
  ];
}

/** Documents for `kubectl apply -f`, each rule with a line that says what it is for. */
export function manifestText(manifests: readonly Manifest[]): string {
  return manifests
    .map(({ object, comments }) => {
      const document = new Document(object);
      const rules = document.get("rules");
      if (isSeq(rules)) {
        let before = "";
        for (const [index, item] of rules.items.entries()) {
          const comment = comments[index] ?? "";
          if (isMap(item) && comment !== before) item.commentBefore = ` ${comment}`;
          before = comment;
          // A rule is read at a glance when its lists stand on one line each.
          if (isMap(item)) for (const { value } of item.items) if (isSeq(value)) value.flow = true;
        }
      }
      return document.toString({ lineWidth: 0, flowCollectionPadding: false });
    })
    .join("---\n");
}

/** For tables in documents: which objects a row is about. */
export function objectsOf(names: NamedObjects): string {
  return namesOf(names, objectNames("NAME"))?.join(", ") ?? "any";
}
