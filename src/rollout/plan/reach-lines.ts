import type { ResolvedConfig } from "../../config/model/types.ts";
import { formatDuration } from "../../core/duration.ts";
import { cookieValue } from "../../core/testers.ts";

/** What a release does for some clients otherwise than for others, a line each. Pure. */
export function reachLines({
  routing = {},
  rollout,
}: Pick<ResolvedConfig, "routing" | "rollout">): readonly string[] {
  const { shadow, steps, mode } = rollout;
  if (mode.kind === "recreate") return [];
  const { header, cookie } = routing.testers ?? {};
  const who = [
    ...(header === undefined ? [] : [`the header ${header.name}: ${header.value}`]),
    ...(cookie === undefined ? [] : [`the cookie ${cookie.name}=${cookieValue(cookie)}`]),
  ].join(" or ");
  const isPinned = routing.sticky === "pin" && steps.length > 0;
  return [
    ...(who === ""
      ? []
      : [`Clients with ${who} get it from its verification on, as long as it has a ready pod.`]),
    ...(shadow === undefined
      ? []
      : [
          `It gets copies of ${shadow.percent} % of the requests for ${formatDuration(shadow.forMs)} before its share grows; what a request does, it does twice.`,
        ]),
    ...(isPinned
      ? [
          "Clients that keep cookies stay on the slot that they got while its share grows; those that are still on the old one move at the cut-over, all at once.",
        ]
      : []),
  ];
}
