import { describeClaim } from "../../core/ingress-claims.ts";
import { type SeenClaims, unseen } from "../../rollout/ingress/shared-hosts.ts";
import { failed, ok, skipped, type Verdict, warning } from "./check.ts";

/** Whether others have the host and path, as far as can be seen. */
export function sharedHostVerdict({ claims, sight, exists }: SeenClaims, namespace: string): Verdict {
  const blind = unseen(sight, namespace);
  const same = claims.filter(({ relation }) => relation === "same");
  const some = claims.filter(({ relation }) => relation === "narrower");
  if (same.length > 0) {
    // One that shares it already does so on purpose, or nobody noticed so far: that stops nothing.
    return (exists ? warning : failed)(
      same.map(describeClaim).join("; "),
      "Choose another host or path, or remove it there: nothing but the ingress controller decides who gets the requests.",
    );
  }
  if (sight === "nothing") return skipped(`${blind}; whether another one has the host is not known`);
  const more = blind === undefined ? "" : `; ${blind}`;
  if (some.length > 0) {
    return warning(
      `${some.map(describeClaim).join("; ")}${more}`,
      "Those requests go there, since what is longer wins; look whether that is meant.",
    );
  }
  return ok(`no other Ingress has the host and path${more}`);
}
