/** The recorded estate's secrets: one that stands in a vault, a cluster and a file for certain, and at CI by its name. */
import type { PlaceKinds } from "../wire/PlaceKinds";
import type { PlaceReader } from "../wire/PlaceReader";
import type { SecretDetail } from "../wire/SecretDetail";
import type { SecretPlace } from "../wire/SecretPlace";
import type { SecretRow } from "../wire/SecretRow";
import type { SecretsSummary } from "../wire/SecretsSummary";
import { NAMES } from "./odd";

const none: PlaceKinds = { vault: 0, ci: 0, cluster: 0, file: 0, code: 0, other: 0 };
const APPS = ["payments", "ledger", "billing", "webshop", "mail-relay", "warehouse", "search", "metrics"];
const ages = ["2025-03-02T09:12:00Z", "2023-07-01T00:00:00Z", "2026-10-21T11:00:00Z", "2026-06-15T08:00:00Z", "2021-10-09T00:00:00Z", null];
const gap = "readers of `k8s-edge` were never read completely";

export function row(n: number, scene: string): SecretRow {
  const app = APPS[n % APPS.length] ?? "app";
  const odd = scene === "odd" ? NAMES[n % NAMES.length] : undefined;
  const kind = ["password", "token", "access_key", "ssh_key", null][n % 5] ?? null;
  const id = `${app}-${kind ?? "value"}-${n}`;
  const blind = n % 3 === 1;
  const places = { ...none, vault: 1, cluster: blind ? 0 : (n + 1) % 2, file: n % 4 === 0 && !blind ? 1 : 0 };
  const suspected = { ...none, ci: n % 3 < 2 ? 1 : 0, cluster: blind ? 1 : 0 };
  const since = ages[n % ages.length] ?? null;
  return {
    key: kind === null ? `location:vault-eu:kv/${app}/${n}#value` : `credential:pg-${app}:${id}`, name: odd ?? id, kind, system: kind === null ? "vault-eu" : `pg-${app}`,
    opens: kind === null ? [] : [{ system: `pg-${app}`, id: `164${n}`, name: odd ?? app, identity: null, identity_name: null, certain: true, works: true }], opens_count: kind === null ? 0 : 1 + (n % 7 === 0 ? 2 : 0),
    owner: n % 4 === 3 ? null : { object: `credential:pg-${app}:${id}`, id: "104003", name: odd ?? "Hugo Castellanos", role: "technical", basis: n % 2 ? "attested" : "observed", left: n % 8 === 1 },
    since, rotated_at: n % 3 === 2 ? null : since, last_used_at: n % 2 ? "2026-11-19T22:10:00Z" : null, expires_at: null, places, suspected,
    place_count: places.vault + places.cluster + places.file, suspected_count: suspected.ci + suspected.cluster, readers: 84 - (n % 60), readers_left: n % 5 === 0 ? 31 - (n % 20) : 0, readers_whole: !blind,
  };
}
const place = (n: number, at: "vault" | "ci_variable" | "kubernetes_secret" | "file", certain: boolean, scene: string): SecretPlace => {
  const of = row(n, scene);
  const app = APPS[n % APPS.length] ?? "app";
  const where = { vault: ["vault-eu", `kv/${app}/prod/pg-${n}`, "password"], ci_variable: ["github", `brantholm/${app}/actions/${app.toUpperCase()}_DB_PASSWORD`, null], kubernetes_secret: ["k8s-prod", `${app}/pg-creds-${n}`, "password"], file: ["edge-04", `/srv/${app}/.env`, `${app.toUpperCase()}_DB_PASSWORD`] }[at];
  const [system = "", path = "", field = null] = [where[0] ?? "", scene === "odd" ? `${where[1] ?? ""}/${NAMES[n % NAMES.length] ?? ""}` : (where[1] ?? ""), where[2]];
  return {
    key: `location:${system}:${path}${field ? `#${field}` : ""}`, secret: of.key, system, path, field, kind: at, environment: "production", since: of.since, rotated_at: of.rotated_at,
    how: certain ? "fingerprint" : "same_name", how_words: certain ? "same fingerprint" : `suspected: same name, ${app} db password`, certain, compared: certain, elsewhere: of.place_count - 1, suspected_elsewhere: of.suspected_count,
    readers: at === "file" ? 9 : 22, readers_left: at === "file" ? 0 : 3, unread: at === "kubernetes_secret" && n % 3 === 1 ? [gap] : [],
  };
};
export function detail(key: string, scene: string, identity: string | null): SecretDetail {
  const n = Number(/(\d+)(?:#.*)?$/.exec(key)?.[1] ?? 0);
  const of = row(n, scene);
  const sorts = [["vault", of.places.vault, of.suspected.vault], ["kubernetes_secret", of.places.cluster, of.suspected.cluster], ["file", of.places.file, of.suspected.file], ["ci_variable", of.places.ci, of.suspected.ci]] as const;
  if (identity !== null) of.way = way(n);
  return {
    row: of, places: sorts.filter(([, many]) => many > 0).map(([kind]) => place(n, kind, true, scene)), suspected: sorts.filter(([, , many]) => many > 0).map(([kind]) => place(n, kind, false, scene)),
    credentials: of.kind === null ? [] : [{ system: of.system, id: of.name, name: of.name, kind: of.kind, account: `${of.system}:164${n}`, created_at: of.since, rotated_at: of.rotated_at, last_used_at: of.last_used_at, expires_at: null, valid: true }],
    owners: of.owner ? [of.owner] : [], opens: of.opens,
    not_known: [...(of.suspected_count > 0 ? ["1,075 of 9,604 values at places have no fingerprint: whether this secret stands there too can only be suspected by name"] : []), ...(of.readers_whole ? [] : [gap])],
  };
}
export const way = (n: number) => ({ path: ["account vault-eu:ann", "entitlement vault-eu:payments-admins", `location vault-eu:kv/${APPS[n % APPS.length] ?? ""}/prod/pg-${n}`], now: n % 2 === 0, certain: n % 3 !== 2 });
export function readers(scene: string): PlaceReader[] {
  const people = ["Marta Lindqvist", "Hugo Castellanos", "Idris Bekele", "Petra Anand", "Zoë Ødegård"];
  return Array.from({ length: 22 }, (_, n) => ({
    system: "vault-eu", account: `8f2c-${n}`, account_name: `login-${n}`, identity: n % 6 === 5 ? null : `10400${n}`, identity_name: n % 6 === 5 ? null : (scene === "odd" ? (NAMES[n % NAMES.length] ?? null) : (people[n % people.length] ?? null)),
    left: n < 3, works: n > 1, through: n % 3 === 0 ? [] : ["entitlement vault-eu:team", "entitlement vault-eu:payments-admins"], place: "vault-eu:kv/payments/prod/pg-0",
  }));
}
export const allPlaces = (all: number, scene: string): SecretPlace[] => Array.from({ length: Math.min(all, 2000) }, (_, n) => place(n, (["vault", "ci_variable", "kubernetes_secret", "file"] as const)[n % 4] ?? "vault", n % 3 !== 1, scene));
export const summary = (all: number): SecretsSummary => all === 0
  ? { secrets: 0, credentials: 0, values: 0, places: 0, compared: 0, copied: 0, suspected: 0, by_kind: none, also_elsewhere: none, unread: [] }
  : { secrets: all, credentials: 9604, values: 3204, places: 3104, compared: 2129, copied: 312, suspected: 188, by_kind: { vault: 1204, ci: 688, cluster: 540, file: 371, code: 37, other: 0 }, also_elsewhere: { vault: 412, ci: 301, cluster: 188, file: 96, code: 37, other: 0 }, unread: [gap] };
