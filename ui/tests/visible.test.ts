import { describe, expect, it } from "vitest";
import { sentence } from "../src/app/sentence";
import { visible, visibleName } from "../src/surfaces/visible";

describe("names that could hide something", () => {
  it.each([
    ["eve\u202egpj.\u200bexe", "eve\\u{202e}gpj.\\u{200b}exe"],
    ["a\u200db", "a\\u{200d}b"],
    ["\u200c", "\\u{200c}"],
    ["علی\u200cرضا", "علی\u200cرضا"],
    ["علی\u202eرضا", "علی\\u{202e}رضا"],
    ["क\u094d\u200dष", "क\u094d\u200dष"],
    ["👩🏽\u200d💻", "👩🏽\u200d💻"],
    ["👩\u200dadmin", "👩\\u{200d}admin"],
    ["Zoë Ødegård", "Zoë Ødegård"],
  ])("%j", (name, shown) => expect(visibleName(name)).toBe(shown));
  it("keeps no joiner in an id", () => expect(visible("علی\u200cرضا")).toBe("علی\\u{200c}رضا"));
});

describe("sentences", () => {
  it.each([["the vault is sealed", "The vault is sealed."], ["https://host of the vault", "https://host of the vault."], ["role_id is missing", "role_id is missing."], ["`x` is missing!", "`x` is missing!"], ["", "."]])("%s", (text, said) => expect(sentence(text)).toBe(said));
});
