import { describe, expect, it } from "vitest";
import { amongOf, askOf, type Among } from "../src/areas/tests/among";

describe("whom the list of everyone is narrowed to", () => {
  it.each<[Record<string, string>, Among | null]>([
    [{}, null],
    [{ secret: "" }, null],
    [{ at: "end" }, null],
    [{ secret: "vault:kv/a=b" }, { by: "secret", value: "vault:kv/a=b" }],
    [{ keeps_in: "corp" }, { by: "keeps_in", value: "corp" }],
    [{ keeps_in: "corp", secret: "vault:kv" }, { by: "secret", value: "vault:kv" }],
  ])("%j", (ask, among) => expect(amongOf(ask)).toEqual(among));
  it("goes to an address and back", () => expect(amongOf(askOf({ by: "secret", value: "vault:kv/a, b" }))).toEqual({ by: "secret", value: "vault:kv/a, b" }));
});
