import { describe, expect, it } from "vitest";
import { cutMiddle } from "../src/surfaces/cut";
import { draw, openAt, ticksTo } from "../src/surfaces/curve";
import { logPlace, secondsAt } from "../src/surfaces/timescale";

describe("cutting long ids", () => {
  const check = (text: string, room: number, wanted: string) => expect(cutMiddle(text, room)).toBe(wanted);
  it("leaves what fits", () => check("mlindqvist", 10, "mlindqvist"));
  it("keeps both ends", () => check("AKIA5RTLQ2M8ZWCV41HD", 11, "AKIA5…V41HD"));
  it("keeps the last part of a path", () => check("kv/data/prod/replicator", 16, "…prod/replicator"));
  it("tells paths with one last part apart", () => {
    const cut = ["archive-180-prod", "ledger-045-prod"].map((pipeline) => cutMiddle(`pipelines/payments/${pipeline}/DEPLOY_PASSWORD`, 23));
    expect(new Set(cut.map((text) => text.endsWith("/DEPLOY_PASSWORD"))).has(false)).toBe(false);
  });
  it("keeps the first part of a distinguished name", () => check("cn=ann,ou=people,dc=example", 12, "cn=ann,ou=p…"));
  it("keeps the first name of a host, where cutting the middle would cut it", () => {
    check("vault-us-east-010.prod.brantholm.example", 20, "vault-us-east-010.p…");
    check("vault-us-east-010.prod.brantholm.example", 12, "vault…t-010…");
    check("ldap.eu.brantholm.example", 16, "ldap.eu.…example");
  });
  it("never cuts inside a character", () => check("👩🏽‍🚀".repeat(1) + "abcdefghij", 5, Array.from("👩🏽‍🚀").slice(0, 2).join("") + "…" + "ij"));
});

describe("the time scale", () => {
  const horizon = 90 * 86_400;
  it("starts at T and ends at the horizon", () => {
    expect(logPlace(0, horizon)).toBe(0);
    expect(logPlace(horizon, horizon)).toBe(1);
    expect(logPlace(horizon * 3, horizon)).toBe(1);
  });
  it("comes back through the brush", () => expect(secondsAt(logPlace(86_400, horizon), horizon)).toBeCloseTo(86_400, 3));
});

describe("the decay curve", () => {
  const point = (after_seconds: number, accounts: number, credentials = 0) => ({ after_seconds, at: "", accounts, credentials, entitlements: 0, locations: 0 });
  const box = { left: 0, right: 100, top: 0, bottom: 100 };
  it("is a step line: flat, then straight down", () => {
    const { outline } = draw([point(0, 4), point(900, 2)], 90 * 86_400, box);
    const places = outline.slice(1).split("L").map((pair) => pair.split(" ").map(Number));
    expect(places[0]?.[1]).toBe(places[1]?.[1]);
    expect(places[1]?.[0]).toBe(places[2]?.[0]);
    expect(places[3]?.[0]).toBe(100);
  });
  it("says what is open at a moment", () => {
    const points = [point(0, 4), point(900, 2)];
    expect(openAt(points, 899)?.accounts).toBe(4);
    expect(openAt(points, 900)?.accounts).toBe(2);
  });
  it("counts in whole items", () => {
    expect(ticksTo(3)).toEqual([0, 1, 2, 3]);
    expect(ticksTo(138)).toEqual([0, 50, 100, 150]);
  });
});
