/** `?estate=odd`: every state a source can be in, and names that are as long and as strange as names can be. */
import type { IdentityRow } from "../wire/IdentityRow";
import type { RehearsalView } from "../wire/RehearsalView";
import type { SourceRow } from "../wire/SourceRow";

const LONG = "Vice-President-of-the-Department-for-the-Harmonisation-of-Interorganisational-Identity-Lifecycles ";
export const NAMES = [
  LONG.repeat(4).slice(0, 300),
  "محمد بن عبد الله بن عبد العزيز آل الشيخ المشرف العام على إدارة الهويات والوصول في جميع الفروع",
  "eve\u202egpj.\u200bexe",
  "Zoë 👩🏽‍💻 Ødegård-Đặng",
  "x".repeat(300),
  "דוד (בן־גוריון) 42 admin",
];
const SOURCES = [
  "a-source-whose-name-takes-all-of-the-sixty-four-letters-there-are",
  "never.read", "held", "failed", "stale", "cancelled", "cut-off-in-the-middle",
];

export function odd(sources: SourceRow[], people: IdentityRow[]): void {
  people.forEach((row, i) => {
    const name = NAMES[i % 29];
    if (i < 2900 && name !== undefined) Object.assign(row, { display_name: name, email: `${"long-mailbox-".repeat(12)}${i}@brantholm.example`, department: name, title: name });
  });
  sources.forEach((source, i) => {
    source.last_sync = 4112 - i;
    source.name = SOURCES[i] ?? source.name;
    const first = source.kinds[0];
    if (source.name === "never.read") Object.assign(source, { state: "never", totals: null, kinds: [], check: null, last_sync: null, last_complete_at: null, age_seconds: null, freshness: "never" });
    if (source.name === "held" && first) {
      source.state = "incomplete";
      first.complete = false;
      first.held = { would_remove: 18_422, current: 20_634 };
      first.gaps = ["the read would remove 18,422 of 20,634 accounts: held"];
    }
    if (source.name === "failed") Object.assign(source, { state: "failed", message: `the directory \`ldaps://${"very-long-host-name.".repeat(9)}example:636\` did not answer within 30 s`, hint: "look whether it runs, and whether a firewall stands between", totals: null, kinds: [], check: null });
    if (source.name === "stale") Object.assign(source, { freshness: "stale", age_seconds: 864_000 });
    if (source.name === "cancelled") Object.assign(source, { state: "cancelled", message: "the read was stopped", hint: "sync again: it goes on where it was" });
    if (source.name.startsWith("cut-off")) Object.assign(source, { state: "incomplete", message: "the program ended in the middle of the read", hint: "sync again" });
    source.settings = { url: `ldaps://${"directory-of-the-whole-group.".repeat(6)}example:636`, bind_dn: `cn=${LONG.slice(0, 80)},ou=${NAMES[1] ?? ""},dc=example`, system: source.name };
  });
}

export function oddItems(view: RehearsalView): RehearsalView {
  view.rehearsal.residual.forEach((item, i) => {
    const name = NAMES[i % NAMES.length];
    if (name !== undefined) Object.assign(item, { id: name, reason: `${item.reason}; ${name}` });
  });
  return view;
}
