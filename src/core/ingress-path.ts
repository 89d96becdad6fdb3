/** Whether a path of an Ingress takes what is asked for, as Kubernetes compares them; a query is passed over. Pure. */
export function takes(
  { path, pathType }: { readonly path: string; readonly pathType: string },
  asked: string,
): boolean {
  if (pathType === "ImplementationSpecific") return true;
  const pathname = asked.split("?")[0] ?? asked;
  if (pathType === "Exact") return pathname === path;
  const folder = path.replace(/\/+$/, "");
  return pathname === folder || pathname.startsWith(`${folder}/`);
}
