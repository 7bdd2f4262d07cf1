/** The recorded estate's accounts that want a decision, and what is decided about them while the page is open. */
import type { DecisionLine } from "../wire/DecisionLine";
import type { LinkExplained } from "../wire/LinkExplained";
import type { LinkLine } from "../wire/LinkLine";
import type { PersonDoubtLine } from "../wire/PersonDoubtLine";
import type { PersonLine } from "../wire/PersonLine";
import type { RecordLine } from "../wire/RecordLine";

const STATES = ["of somebody who is not listed", "possibly connected", "ambiguous", "not connected"];
const line = (n: number, all: number): LinkLine => {
  const state = STATES[Math.min(3, Math.floor((n * 12) / all))] ?? "not connected";
  const fits = state === "not connected" ? [] : [`hr-roster:1${String(n).padStart(5, "0")}`, `vendor-register:v-${n}`];
  return {
    account: `corp-ad:svc-${n}`, source: "corp-ad", supplement: false, name: `svc-${n}`, email: null, kind: n % 3 === 0 ? "service" : "human", enabled: true, privileged: n % 11 === 0, state,
    identity: state === "of somebody who is not listed" ? (fits[0] ?? null) : null, rule: state === "not connected" ? null : "mail", candidates: state === "ambiguous" ? fits : state === "possibly connected" ? fits.slice(0, 1) : [],
    doubt: state === "possibly connected" ? "what should agree differs" : null,
  };
};
export const undecided = (all: number): LinkLine[] => Array.from({ length: all }, (_, n) => line(n, all));

/** The accounts that could be an identity's as well as another's. */
export const couldBe = (identity: string, all: LinkLine[]): string[] => all.filter((one) => one.candidates.some((name) => name.endsWith(`:${identity}`))).map((one) => one.account);

export function explained(row: LinkLine, decision: DecisionLine | null): LinkExplained {
  const names = row.identity ? [row.identity, ...row.candidates] : row.candidates;
  return {
    ...row, confidence: "likely", basis: decision ? "attested" : row.rule ? "assumed" : null, decision, state: decision ? (decision.to ? "connected" : "nobody's") : row.state,
    rules: [
      { rule: "identity id", confidence: "certain", values: [], outcome: "the account has no such value" },
      { rule: "mail", confidence: "likely", values: ["email `svc@brantholm.example`"], outcome: names.length > 1 ? `leads to ${names.length} persons` : "leads to nobody" },
    ],
    persons: names.map((identity, n) => ({ identity, display_name: n === 0 ? "Marta Lindqvist" : "Marta Lindqvist-Anderson", email: "marta@brantholm.example", start_date: "2019-03-04", equal: ["email `marta@brantholm.example` is email `marta@brantholm.example`"], differs: row.doubt ? ["name `svc` is not display_name `Marta Lindqvist`"] : [] })),
    nearest: row.state === "not connected" ? [{ identity: "hr-roster:104882", display_name: "Marta Lindqvist", email: "marta@brantholm.example", likeness: 62 }] : [],
    remarks: [],
  };
}

const record = (source: string, id: string, joined_by: string | null): RecordLine => ({ record: `${source}:${id}`, source, id, display_name: "Petra Anand", email: "petra@brantholm.example", start_date: "2017-05-02", joined_by });
export const persons: PersonLine[] = [{ person: 7, records: [record("hr-roster", "104100", "employee number"), record("vendor-register", "v-9", "employee number")] }];
export const doubts: PersonDoubtLine[] = [{ rule: "employee number", reason: "names and start dates differ", records: [record("hr-roster", "104200", null), record("vendor-register", "v-12", null)], count: 2 }];

export const decisions: DecisionLine[] = [];
export function keep(what: string, of: string, to: string | null, why: string, undoes: number | null = null): number {
  const number = decisions.length + 1;
  const undone = decisions.find((one) => one.number === undoes);
  if (undone) undone.undone_by = number;
  decisions.unshift({ number, what, of, to, who: "petra", at: "2026-11-20T07:00:00Z", why, undoes, undone_by: null });
  return number;
}
export const inForce = (of: string) => decisions.find((one) => one.of === of && one.undoes === null && one.undone_by === null) ?? null;
