import { describe, expect, it } from "vitest";
import { STARTS, begun, columnName, columnsOf, dayAndHour, matched, partsOf, textOf, timeOf, valueOf, valueText, whoOf, withColumns, withWord, wordOf } from "../src/surfaces/eventwords";

const text = "kind=mover,identity=u1,at=2026-06-01,title=Head, Sales,attributes.cost_centre=7";
const parts = () => partsOf(text) ?? [];

describe("the text of an event", () => {
  it("goes to and fro", () => expect(textOf(parts())).toBe(text));
  const ann = "uid=ann,ou=people,dc=x";
  it.each([ann, 'the "one", a=b', '"quoted"', "Head, Sales", " Head", ""])("has %s as a value and goes to and fro", (value) => {
    const one = `kind=leaver,identity=${valueText(value)},at=2026-06-01`;
    expect(wordOf(partsOf(one) ?? [], "identity")).toBe(value.trim());
    expect(textOf(partsOf(one) ?? [])).toBe(one);
  });
  it("is quoted only where it has to be", () => expect([valueText(ann), valueText("Head, Sales")]).toEqual([`"${ann}"`, "Head, Sales"]));
  it("keeps a quote that is not closed yet", () => expect(partsOf('kind=leaver,identity="uid=ann,ou')).toEqual([{ name: "kind", value: "leaver" }, { name: "identity", value: "uid=ann,ou" }]));
  it("is parted only where a name and = follow", () => expect(columnsOf(parts())).toEqual([{ name: "title", value: "Head, Sales" }, { name: "attributes.cost_centre", value: "7" }]));
  it("without a name at its beginning has no parts", () => {
    expect(partsOf("leaver u1")).toBeNull();
    expect(partsOf("")).toBeNull();
  });
  it("keeps what is being typed", () => expect(partsOf("kind=mover,title=Head ")?.at(-1)?.value).toBe("Head "));
  it("takes a word at its place", () => expect(withWord(parts(), "shown", "gone")).toBe(text.replace(",title", ",shown=gone,title")));
  it("takes a word before the others", () => expect(withWord(partsOf("at=2026-06-01") ?? [], "kind", "leaver")).toBe("kind=leaver,at=2026-06-01"));
  it("loses a word that is empty", () => expect(withWord(parts(), "at", "")).toBe(text.replace("at=2026-06-01,", "")));
  it("takes other columns", () => expect(withColumns(parts(), [{ name: "department", value: "" }])).toBe("kind=mover,identity=u1,at=2026-06-01,department="));
});

describe("whom an event happens to", () => {
  it.each([["kind=leaver,identity=u1", "u1"], ["kind=owner_change,from=u1,to=u2", "u1"], ["kind=owner_change,from=,identity=u1", "u1"], ['kind=rehire,identity="hr:uid=ann,ou=people"', "hr:uid=ann,ou=people"], ["kind=leaver", ""]])("%s", (of, who) => expect(whoOf(partsOf(of) ?? [])).toBe(who));
  it("keeps the blanks of whoever types", () => expect(valueOf(partsOf("kind=owner_change,object=location:fs:/my ") ?? [], "object")).toBe("location:fs:/my "));
});

describe("the name of a column", () => {
  const known = ["department", "title"];
  it.each([["department", "department"], [" title ", "title"], ["cost_centre", "attributes.cost_centre"], ["Cost centre", "attributes.Cost centre"], ["attributes.x", "attributes.x"], ["attributes.", null], ["", null], ["a,b", null], ["a=b", null], ["kind", null]])("%s", (typed, name) => expect(columnName(typed, known)).toBe(name));
});

describe("the time of an event", () => {
  it.each(["2026-06-01", "2026-0", "2026-06-01T1", "2026-06-01T17:0", ""])("%s stays as it is written", (at) => {
    const { day, hour } = dayAndHour(at);
    expect(timeOf(day, hour)).toBe(at);
  });
  it.each(["2026-06-01T17:00:00Z", "2026-01-01T00:30:05Z"])("%s goes to and fro through the person's zone", (at) => {
    const { day, hour } = dayAndHour(at);
    expect(timeOf(day, hour)).toBe(at);
  });
});

describe("answers", () => {
  const of = (event: string, identity: string, at: string) => ({ event, identity, at });
  it("are given to the text that they are of, whatever their order", () => {
    const [first, second] = [of("mover", "u1", "2026-06-01T08:00:00Z"), of("leaver", "hr:u1", "2026-06-01T17:00:00Z")];
    expect(matched(["kind=leaver,identity=u1,at=2026-06-01T17:00:00Z", "kind=mover,identity=u1,at=2026-06-01T08:00:00Z"], [first, second])).toEqual([second, first]);
  });
  it("are given to texts that say no time, and name somebody by mail", () => {
    const one = of("leaver", "u1", "2026-06-01T17:00:00Z");
    expect(matched(["kind=leaver,identity=ann@example.com"], [one])).toEqual([one]);
  });
  it("that are of nothing stay away", () => expect(matched(["kind=leaver,identity=u1"], [])).toEqual([null]));
});

describe("starts", () => {
  it.each(STARTS)("%s names somebody in each event, and can be taken apart", (start) => {
    for (const one of begun(start, "hr:u1", "person", Date.UTC(2026, 5, 1))) expect(wordOf(partsOf(one) ?? [], "identity")).toBe("hr:u1");
  });
  it("let a vendor leave as one", () => expect(begun("rehire", "acme", "vendor", 0)[0]).toContain("kind=vendor_exit"));
});
