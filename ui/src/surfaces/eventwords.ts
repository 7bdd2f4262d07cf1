/**
 * The text of an event (`kind=leaver,identity=u1,at=2026-06-01`) as parts and back. It only takes apart and
 * puts together: what the parts mean, and whether they may stand there, the program says.
 */
export interface Part {
  name: string;
  /** As it is written, blanks too: whoever types is not done yet. */
  value: string;
}

/** The order in which a text that is put together has them; columns come after. */
export const WORDS = ["kind", "identity", "object", "from", "to", "at", "source", "shown"] as const;
export type Word = (typeof WORDS)[number];
const isWord = (name: string): name is Word => (WORDS as readonly string[]).includes(name);
const isName = (text: string) => /^([a-z_]+|attributes\..+)$/.test(text);

/** How a column is written that somebody named: one that files do not have is the source's own. Null where no name can stand so. */
export function columnName(typed: string, known: readonly string[]): string | null {
  const name = typed.trim();
  if (name === "" || name.endsWith(".") || /[,=]/.test(name) || isWord(name)) return null;
  return known.includes(name) || name.startsWith("attributes.") ? name : `attributes.${name}`;
}

/** What stands in double quotes at the beginning of a text, two standing for one, and what stands behind; all of it where nothing closes them yet. */
function inQuotes(text: string): { value: string; behind: string } {
  const found = /^\s*"((?:[^"]|"")*)("|$)/.exec(text);
  return { value: (found?.[1] ?? "").replaceAll('""', '"'), behind: text.slice(found?.[0].length ?? 0) };
}

/** The parts in the order of the text; null where it begins with no name. A comma parts only where a name and `=` follow it, and nowhere in double quotes. */
export function partsOf(text: string): Part[] | null {
  const found: Part[] = [];
  let rest: string | null = text;
  while (rest !== null) {
    const comma: number = rest.indexOf(",");
    const piece: string = comma < 0 ? rest : rest.slice(0, comma);
    const cut = piece.indexOf("=");
    const name = piece.slice(0, Math.max(0, cut)).trim();
    const last = found.at(-1);
    if (cut > 0 && isName(name) && piece.slice(cut + 1).trimStart().startsWith('"')) {
      const { value, behind } = inQuotes(rest.slice(cut + 1));
      const next = behind.indexOf(",");
      found.push({ name, value });
      rest = next < 0 ? null : behind.slice(next + 1);
      continue;
    }
    if (cut > 0 && isName(name)) found.push({ name, value: piece.slice(cut + 1) });
    else if (last) last.value += `,${piece}`;
    else return null;
    rest = comma < 0 ? null : rest.slice(comma + 1);
  }
  return found;
}

/** A value as it stands in a text: in double quotes where it would be parted, or taken for quoted. */
export function valueText(value: string): string {
  const parted = value.split(",").slice(1).some((piece) => isName(piece.slice(0, Math.max(0, piece.indexOf("="))).trim()));
  return parted || value.trimStart().startsWith('"') ? `"${value.replaceAll('"', '""')}"` : value;
}

export const textOf = (parts: Part[]): string => parts.map((part) => `${part.name}=${valueText(part.value)}`).join(",");

/** What stands under a word; empty where nothing does. */
export const wordOf = (parts: Part[], word: Word): string => parts.find((part) => part.name === word)?.value.trim() ?? "";

/** The same with its blanks: whoever types is not done yet. */
export const valueOf = (parts: Part[], word: Word): string => parts.find((part) => part.name === word)?.value ?? "";

/** Whoever hands something on may be written as `from`. */
export const whoWordOf = (parts: Part[]): "identity" | "from" => (wordOf(parts, "from") !== "" && wordOf(parts, "identity") === "" ? "from" : "identity");

/** Whom an event happens to. */
export const whoOf = (parts: Part[]): string => wordOf(parts, whoWordOf(parts));

/** The columns, each as it is afterwards. */
export const columnsOf = (parts: Part[]): Part[] => parts.filter((part) => !isWord(part.name));

/** The text with another value under a word, at the place of the word; an empty one takes it out. */
export function withWord(parts: Part[], word: Word, value: string): string {
  const rest = parts.filter((part) => part.name !== word);
  if (value === "") return textOf(rest);
  const before = WORDS.slice(0, WORDS.indexOf(word));
  const at = rest.findLastIndex((part) => isWord(part.name) && before.includes(part.name)) + 1;
  return textOf([...rest.slice(0, at), { name: word, value }, ...rest.slice(at)]);
}

/** The text with other columns. */
export const withColumns = (parts: Part[], columns: Part[]): string => textOf([...parts.filter((part) => isWord(part.name)), ...columns]);

const two = (value: number) => String(value).padStart(2, "0");
const ZONED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** A time as a day and an hour in the person's zone; a day alone, and what is no time yet, as it is written. */
export function dayAndHour(at: string): { day: string; hour: string } {
  const moment = ZONED.test(at) ? new Date(at) : null;
  if (moment && !Number.isNaN(moment.getTime())) {
    const seconds = moment.getSeconds();
    return { day: `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`, hour: `${two(moment.getHours())}:${two(moment.getMinutes())}${seconds === 0 ? "" : `:${two(seconds)}`}` };
  }
  const cut = at.indexOf("T");
  return cut < 0 ? { day: at, hour: "" } : { day: at.slice(0, cut), hour: at.slice(cut + 1) };
}

/** The same back: an hour is of the person's zone, and written in UTC. */
export function timeOf(day: string, hour: string): string {
  const [one, other] = [day.trim(), hour.trim()];
  if (other === "") return one;
  const moment = /^\d{4}-\d{2}-\d{2}$/.test(one) && /^\d{2}:\d{2}(:\d{2})?$/.test(other) ? new Date(`${one}T${other}`) : null;
  return moment && !Number.isNaN(moment.getTime()) ? moment.toISOString().replace(".000Z", "Z") : `${one}T${other}`;
}

/** Which of the texts each answer is of: answers come in the order of their times, and none says its text. */
export function matched<Answer extends { event: string; identity: string; at: string }>(texts: string[], answers: Answer[]): (Answer | null)[] {
  const asked = texts.map((text) => partsOf(text) ?? []);
  const found: (Answer | null)[] = texts.map(() => null);
  const left = new Set(answers);
  const same = (one: string, other: string) => one === other || one.endsWith(`:${other}`) || other.endsWith(`:${one}`);
  const rules: ((parts: Part[], of: Answer) => boolean)[] = [
    (parts, of) => wordOf(parts, "kind") === of.event && same(whoOf(parts), of.identity) && (wordOf(parts, "at") === "" || Date.parse(wordOf(parts, "at")) === Date.parse(of.at)),
    (parts, of) => wordOf(parts, "kind") === of.event && same(whoOf(parts), of.identity),
    (parts, of) => wordOf(parts, "kind") === of.event,
  ];
  for (const rule of rules)
    asked.forEach((parts, n) => {
      if (found[n]) return;
      const hit = [...left].find((of) => rule(parts, of));
      if (hit === undefined) return;
      found[n] = hit;
      left.delete(hit);
    });
  return found;
}

const DAY = 86_400_000;
const on = (from: number, days: number) => new Date(from + days * DAY).toISOString().slice(0, 10);
/** How a leaving of each kind of identity is called. */
const LEAVING: Record<string, string> = { vendor: "vendor_exit", workload: "workload_retired", agent: "agent_retired" };
export const STARTS = ["moves_and_leaves", "leave_of_absence", "extension", "rehire", "never_began"] as const;
export type Start = (typeof STARTS)[number];

/** Events to begin with, about somebody, from a week after `from` on. */
export function begun(start: Start, identity: string, kind: string, from: number): string[] {
  const leaves = LEAVING[kind] ?? "leaver";
  const row = (event: string, at: string, rest = "") => `kind=${event},identity=${valueText(identity)},at=${at}${rest}`;
  const first = on(from, 7);
  if (start === "moves_and_leaves") return [row("mover", `${first}T08:00:00Z`, ",department=Another department"), row(leaves, `${first}T17:00:00Z`)];
  if (start === "leave_of_absence") return [row("leave_start", first), row("leave_end", on(from, 97))];
  if (start === "extension") return [row("extension", first, `,end_date=${on(from, 97)}`), row(leaves, on(from, 98), ",shown=nothing")];
  if (start === "rehire") return [row(leaves, first), row("rehire", on(from, 67))];
  return [row("joiner", first, `,start_date=${on(from, 21)},status=pending`), row(leaves, on(from, 14), ",shown=gone")];
}
