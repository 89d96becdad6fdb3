import { expect } from "vitest";
import type { Router } from "../../../src/component/routers/router.ts";
import { testersProblem } from "../../../src/component/routers/routing-wishes.ts";
import { otherSlot } from "../../../src/core/slots.ts";
import { defaultCookieValue, type Testers, testerRequests } from "../../../src/core/testers.ts";
import { faultPoints } from "../rollout-driver.ts";
import { previewHeader, type Stage } from "./stage.ts";

const cookie = { name: "tester" } as const;
const value = "ml";

/** Testers as this router can tell them: by a header of their own, or where it knows only one header, by that of the preview. */
export function testersFor(router: Router): Testers {
  const own: Testers = { header: { name: "X-Team", value } };
  const isTold = testersProblem(router, own, previewHeader) === undefined;
  return {
    header: isTold ? { name: "X-Team", value } : { name: previewHeader, value },
    ...(router.capabilities.cookie ? { cookie } : {}),
  };
}

/**
 * A release is killed once its testers are proved, before anybody else has a share of it. Nothing runs that could correct what testers get, so
 * what is seen here is what the objects say.
 */
export async function testersAlone(stage: Stage): Promise<void> {
  const { router, project } = stage;
  const testers = testersFor(router);
  await stage.configure({ testers, copies: stage.canCopy });
  // Testers are no part of a release: they are a setting of the model.
  await project.result(["up"]);
  const killed = await project.command([...stage.release(), "--json"], {
    env: faultPoints(new Set(["done:prove-testers"])),
  });
  expect(killed.exitCode, `${killed.stdout}\n${killed.stderr}`).toBeNull();
  expect(await stage.split()).toEqual({ [stage.live]: 100, [otherSlot(stage.live)]: 0 });

  const [live, idle] = [stage.versionOf(stage.live), stage.versionOf(otherSlot(stage.live))];
  const header = testers.header?.name ?? "";
  const others: readonly Readonly<Record<string, string>>[] = [
    {},
    { [header]: "other" },
    { [header]: `${value}2` },
    { cookie: `my${cookie.name}=${defaultCookieValue}` },
    { cookie: `${cookie.name}=${defaultCookieValue}2` },
  ];
  for (let index = 0; index < 10; index += 1) {
    for (const headers of testerRequests(testers))
      expect(await stage.ask(headers), JSON.stringify(headers)).toBe(idle);
    for (const headers of others) expect(await stage.ask(headers), JSON.stringify(headers)).toBe(live);
  }
  // Who names a slot gets it, tester or not.
  const routing = {
    main: stage.live,
    candidate: otherSlot(stage.live),
    weight: 0,
    testers: otherSlot(stage.live),
  };
  const forced = router.force(routing, "main");
  if (forced !== undefined) expect(await stage.ask({ [header]: value, [previewHeader]: forced })).toBe(live);
}

/** The release that was killed is taken back: testers get what everybody gets, and nobody's requests are copied. */
export async function takenBack(stage: Stage): Promise<void> {
  await stage.withoutFailure(() => stage.project.result(["abort"]));
  const live = stage.versionOf(stage.live);
  for (const headers of [{}, ...testerRequests(testersFor(stage.router))])
    expect(await stage.ask(headers), JSON.stringify(headers)).toBe(live);
  expect(await stage.project.result(["status"])).toMatchObject({ rollout: null, changedByHand: [] });
  await stage.configure();
  await stage.project.result(["up"]);
}
