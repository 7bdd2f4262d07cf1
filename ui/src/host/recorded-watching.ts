/** The recorded estate's watches, which go on by themselves, and its probes. */
import type { IdentityRow } from "../wire/IdentityRow";
import type { ProbeView } from "../wire/ProbeView";
import type { WatchView } from "../wire/WatchView";

const MINUTE = 60_000;
const begun = Date.now();
const text = (at: number) => new Date(at).toISOString();
const watch = (id: number, identity: string, name: string | null, state: string, open: number, things: number, hours: number, why: string): WatchView => ({
  id, identity, name, event: "leaver", at: text(begun - hours * 60 * MINUTE), said_by: id % 2 === 0 ? "petra" : "hr-roster", started: text(begun - hours * 60 * MINUTE + 20_000), state, next_read: state === "running" || state === "overdue" ? text(begun + 3 * MINUTE) : null, last_read: id === 5 ? null : text(begun - 4 * MINUTE),
  open, things, verdict: state === "overdue" ? "fail" : state === "closed" ? "pass" : null, why,
});
let all: WatchView[] = [
  watch(1, "104003", "Marta Lindqvist", "overdue", 2, 9, 30, "`aws-prod:AKIA3XQLM27QX2` and `pg-billing:mlind_adm` are open beyond 24 h"),
  watch(2, "104020", "Devendra Rao", "running", 4, 12, 2, "`corp-ad:drao` was last seen open at 17:04; the limit of 24 h passes tomorrow at 17:00"),
  watch(3, "104037", "Ingrid Solberg", "closed", 0, 7, 60, "a complete read of each system shows everything closed"),
  watch(4, "104054", null, "stopped", 3, 3, 90, "it was stopped by petra"),
];

/** Whatever runs is read every few seconds here, and loses something each time; the second of them becomes overdue. */
export function watches(): WatchView[] {
  const late = Date.now() - begun > 12_000;
  all = all.map((one) => (one.id === 2 && one.state === "running" && late ? { ...one, state: "overdue", verdict: "fail", open: 1, why: "`github:drao-dev` is open beyond 24 h" } : one));
  const rank = ["overdue", "running", "closed", "stopped"];
  return [...all].sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state) || b.id - a.id);
}
function change(id: number, by: (one: WatchView) => Partial<WatchView>): WatchView {
  all = all.map((one) => (one.id === id ? { ...one, ...by(one) } : one));
  return all.find((one) => one.id === id) as WatchView;
}
export const stop = (id: number) => change(id, () => ({ state: "stopped", next_read: null, why: "it was stopped by petra" }));
export const read = (id: number) => change(id, (one) => ({ last_read: text(Date.now()), next_read: text(Date.now() + 5 * MINUTE), open: Math.max(0, one.open - 1) }));
export function start(row: IdentityRow, event: string, at: string | null): WatchView {
  const one: WatchView = { ...watch(all.length + 1, row.id, row.display_name, "running", 0, 0, 0, "nothing was read since"), event, said_by: "petra", at: at ?? text(Date.now()), started: text(Date.now()), last_read: null, next_read: text(Date.now() + 10_000) };
  all = [...all, one];
  return one;
}

const probe = (name: string, title: string, system: string, account: string, verdict: string, more: Partial<ProbeView>): ProbeView => ({
  name, how: title === "LDAP bind" ? "ldap_bind" : "vault_token", title, source: system, system, account, identity: null, consent: "canary", consent_by: "petra", consent_at: "2026-11-02T08:12:00Z", last: null, control_at: null, refused_since: 0, may_try: null, verdict, why: "it was never tried", ...more,
});
const tried = (answer: string, raw: string, counts: boolean, why: string | null = null) => ({ probe: "", from: text(begun - 50 * MINUTE), until: text(begun - 50 * MINUTE + 700), answer, raw, why, counts });
export let probes: ProbeView[] = [
  probe("marta-aws-key", "AWS key", "aws-prod", "mlindqvist", "works", { identity: "104003", consent: "Marta Lindqvist agreed in CHG-7003 that her dead test key is tried", last: tried("accepted", "HTTP 200", true), control_at: text(begun - 50 * MINUTE), why: "it was accepted 50 min ago" }),
  probe("canary-ad", "LDAP bind", "corp-ad", "cn=canary-1,ou=canaries,dc=brantholm,dc=example", "dead", { last: tried("rejected", "49 invalidCredentials", true), control_at: "2026-11-19T08:00:00Z", refused_since: 2, may_try: "the system may count refused tries: the next one is allowed at 19:10", why: "it was accepted on 19 Nov and is rejected since" }),
  probe("canary-vault", "Vault token", "vault-eu", "canary-2", "indeterminate", { last: tried("indeterminate", "no connection within 10 s", true, "the server did not answer in time"), control_at: "2026-11-18T08:00:00Z", why: "the last try has no clear answer" }),
  probe("scim-canary", "LDAP bind", "scim-itsm", "canary-3", "indeterminate", { last: tried("rejected", "HTTP 401", false), refused_since: 1, why: "it was rejected, and never accepted before" }),
  probe("new-canary", "PostgreSQL login", "pg-billing", "canary_4", "never tried", {}),
];
export function tryIt(name: string): ProbeView {
  probes = probes.map((one) => (one.name === name ? { ...one, last: { ...tried("accepted", "0 success", true), from: text(Date.now()), until: text(Date.now() + 300) }, control_at: text(Date.now()), refused_since: 0, verdict: "works", may_try: "it was tried a moment ago: the next one is allowed in 5 min", why: "it was accepted just now" } : one));
  return probes.find((one) => one.name === name) as ProbeView;
}
export const remove = (name: string): void => {
  probes = probes.filter((one) => one.name !== name);
};
