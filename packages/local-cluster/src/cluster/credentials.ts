import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Credential } from "./certificates.ts";
import { type ClusterRecord, nodeName } from "./cluster-state.ts";
import { writePrivateFile } from "./files.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { ClusterFolders } from "./state-folder.ts";

/** Paths of the files that the components read; each is readable by its owner alone. */
export interface CredentialFiles {
  readonly authority: string;
  readonly authorityKey: string;
  readonly apiServer: KeyFiles;
  /** The API server as client of etcd, and etcd itself. */
  readonly etcd: KeyFiles;
  /** The API server as client of the kubelet. */
  readonly kubeletClient: KeyFiles;
  readonly kubeletServer: KeyFiles;
  /** Signs `frontProxyClient` and nothing else: whoever it vouches for may speak for any user. */
  readonly frontProxyAuthority: string;
  /** The API server as client of API servers behind it, such as metrics-server. */
  readonly frontProxyClient: KeyFiles;
  readonly metricsServer: KeyFiles;
  readonly tokenKey: string;
  readonly tokenPublicKey: string;
  /** Kubeconfigs of the components. */
  readonly kubeconfigs: Readonly<Record<ClientName, string>>;
}

export interface KeyFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Clients of the API server: user and groups as the built-in roles of Kubernetes expect them. */
const clients = {
  "kube-controller-manager": () => ({ commonName: "system:kube-controller-manager" }),
  "kube-scheduler": () => ({ commonName: "system:kube-scheduler" }),
  kubelet: (node: string) => ({ commonName: `system:node:${node}`, organisations: ["system:nodes"] }),
  "kube-proxy": () => ({ commonName: "system:kube-proxy" }),
  traefik: () => ({ commonName: ingressUser }),
  coredns: () => ({ commonName: addonUsers.coredns }),
  "metrics-server": () => ({ commonName: addonUsers["metrics-server"] }),
  "local-path-provisioner": () => ({ commonName: addonUsers["local-path-provisioner"] }),
};
export type ClientName = keyof typeof clients;

/** The user as which the ingress controller reads the cluster. */
export const ingressUser = "modelswitch:ingress-controller";

/** The users as which the addons use the API server. */
export const addonUsers = {
  coredns: "modelswitch:dns",
  "metrics-server": "modelswitch:metrics",
  "local-path-provisioner": "modelswitch:volumes",
} as const;

/** The one name that the API server signs requests for others with. */
export const frontProxyName = "front-proxy-client";

/** Makes what is not there yet, so that a repaired cluster keeps its credentials, and says where it all is. */
export async function prepareCredentials(
  folders: ClusterFolders,
  record: ClusterRecord,
  now: Date,
): Promise<CredentialFiles> {
  // Status, logs and lists of clusters need no certificates, and what makes them takes a tenth of a second to load.
  const { createAuthority, createTokenKey, issueCertificate } = await import("./certificates.ts");
  const file = (name: string) => join(folders.certificates, name);
  const pair = (name: string): KeyFiles => ({ certificate: file(`${name}.crt`), key: file(`${name}.key`) });
  const keep = async (files: KeyFiles, make: () => Promise<Credential>): Promise<Credential> => {
    if (!existsSync(files.certificate) || !existsSync(files.key)) {
      const made = await make();
      writePrivateFile(files.key, made.key);
      writePrivateFile(files.certificate, made.certificate);
    }
    return { certificate: readFileSync(files.certificate, "utf8"), key: readFileSync(files.key, "utf8") };
  };
  const context = `modelswitch-${record.name}`;
  const authorityFiles = pair("authority");
  const authority = await keep(authorityFiles, () => createAuthority(context, now));
  const issue = async (name: string, commonName: string, organisations: string[], serverNames: string[]) => {
    const files = pair(name);
    await keep(files, () =>
      issueCertificate(authority, { subject: { commonName, organisations }, serverNames, validFrom: now }),
    );
    return files;
  };

  const frontProxyFiles = pair("front-proxy-authority");
  const frontProxy = await keep(frontProxyFiles, () => createAuthority(`${context}-front-proxy`, now));
  const frontProxyClient = pair("front-proxy-client");
  await keep(frontProxyClient, () =>
    issueCertificate(frontProxy, { subject: { commonName: frontProxyName }, validFrom: now }),
  );

  const tokenKey = file("tokens.key");
  const tokenPublicKey = file("tokens.pub");
  if (!existsSync(tokenKey) || !existsSync(tokenPublicKey)) {
    const keys = createTokenKey();
    writePrivateFile(tokenPublicKey, keys.publicKey);
    writePrivateFile(tokenKey, keys.privateKey);
  }

  const server = `https://${record.addresses.host}:${record.ports.apiServer}`;
  const writeKubeconfig = (path: string, name: string, client: Credential) =>
    writePrivateFile(path, kubeconfig({ name, server, authority: authority.certificate, client }));
  const node = nodeName(record.name);
  const kubeconfigs = Object.fromEntries(
    await Promise.all(
      Object.entries(clients).map(async ([name, subject]) => {
        const path = file(`${name}.kubeconfig`);
        const credential = await keep(pair(name), () =>
          issueCertificate(authority, { subject: subject(node), validFrom: now }),
        );
        writeKubeconfig(path, name, credential);
        return [name, path];
      }),
    ),
  ) as Record<ClientName, string>;
  const administrator = await keep(pair("administrator"), () =>
    issueCertificate(authority, {
      subject: { commonName: "modelswitch:administrator", organisations: ["system:masters"] },
      validFrom: now,
    }),
  );
  writeKubeconfig(folders.kubeconfig, context, administrator);

  const { addresses } = record;
  return {
    authority: authorityFiles.certificate,
    authorityKey: authorityFiles.key,
    apiServer: await issue(
      "kube-apiserver",
      "kube-apiserver",
      [],
      [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        addresses.apiService,
        addresses.host,
      ],
    ),
    etcd: await issue("etcd", "etcd", [], ["127.0.0.1"]),
    kubeletClient: await issue("kubelet-client", "kube-apiserver-kubelet-client", ["system:masters"], []),
    kubeletServer: await issue("kubelet-server", node, [], [node, addresses.node]),
    frontProxyAuthority: frontProxyFiles.certificate,
    frontProxyClient,
    metricsServer: await issue(
      "metrics-server-serving",
      "metrics-server",
      [],
      ["metrics-server.kube-system.svc", addresses.host],
    ),
    tokenKey,
    tokenPublicKey,
    kubeconfigs,
  };
}
