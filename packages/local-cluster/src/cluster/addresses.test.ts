import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseAddresses, linkNames, parseRange, takenByRoutes } from "./addresses.ts";

describe("chooseAddresses", () => {
  it("takes the first block of the first pool on a host that uses none of it", () => {
    expect(chooseAddresses(["192.0.2.0/24"])).toEqual({
      block: "10.199.0.0/20",
      serviceRange: "10.199.0.0/21",
      apiService: "10.199.0.1",
      dnsService: "10.199.0.10",
      podRange: "10.199.8.0/24",
      host: "10.199.9.1",
      node: "10.199.9.2",
      linkPrefix: 30,
    });
  });

  it("steps over blocks that overlap a route, larger or smaller", () => {
    expect(chooseAddresses(["10.199.2.7"])?.block).toBe("10.199.16.0/20");
    // Blocks of clusters that an older version made are smaller.
    expect(chooseAddresses(["10.199.0.0/22", "10.199.20.0/22"])?.block).toBe("10.199.32.0/20");
    expect(chooseAddresses(["10.0.0.0/8"])?.block).toBe("172.28.0.0/20");
  });

  it("gives up only when every pool is taken", () => {
    expect(chooseAddresses(["0.0.0.0/0"])).toBeUndefined();
  });

  it("never overlaps what is taken", () => {
    const range = fc
      .tuple(fc.constantFrom("10.199", "10.198", "172.28", "172.31"), fc.nat(255), fc.nat(255), fc.nat(24))
      .map(([start, third, fourth, prefix]) => `${start}.${third}.${fourth}/${prefix + 8}`);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (taken) => {
        const chosen = chooseAddresses(taken);
        if (chosen === undefined) return;
        const block = parseRange(chosen.block);
        for (const text of taken) {
          const other = parseRange(text);
          if (block === undefined || other === undefined) throw new Error("not a range");
          expect(other.last < block.first || other.first > block.last).toBe(true);
        }
      }),
    );
  });
});

describe("takenByRoutes", () => {
  it("ignores the default route, which covers everything", () => {
    expect(takenByRoutes([{ dst: "default" }, { dst: "192.0.2.0/24" }, { dst: "fd00::/64" }, {}])).toEqual([
      "192.0.2.0/24",
      "fd00::/64",
    ]);
  });
});

describe("linkNames", () => {
  it("fits the kernel's 15 characters and tells clusters of different users apart", () => {
    const one = linkNames("/home/me/.local/state/modelswitch/clusters/default");
    const other = linkNames("/home/ada/.local/state/modelswitch/clusters/default");
    expect(one.host).not.toBe(other.host);
    for (const name of [one.host, one.node]) expect(name.length).toBeLessThanOrEqual(15);
  });
});
