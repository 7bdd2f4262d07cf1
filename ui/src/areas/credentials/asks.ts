/** What lists of secrets are asked for, and the same as a command for a terminal. */
import type { ListQuery } from "../../wire/ListQuery";
import type { PlaceKinds } from "../../wire/PlaceKinds";

export interface Narrow {
  search: string;
  copies: string;
  kind: string;
  older: string;
}
export const WIDE: Narrow = { search: "", copies: "", kind: "", older: "" };

export const filtersOf = (by: Narrow): string[] =>
  [["copies", by.copies], ["kind", by.kind], ["older", by.older]].flatMap(([name, value]) => (value ? [`${name ?? ""}=${value}`] : []));
export const narrowing = (by: Narrow): number => [by.search, by.copies, by.kind, by.older].filter((one) => one !== "").length;
export const queryOf = (by: Narrow, order: { sort: string; descending: boolean }, offset: number, limit: number): ListQuery => ({ search: by.search, filters: filtersOf(by), sort: order.sort, descending: order.descending, offset, limit });

const quoted = (text: string) => (/^[\w.,:/=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
export function command(by: Narrow, identity: string | null, places: boolean): string {
  const parts = ["lastkey secrets"];
  if (by.search !== "") parts.push("--search", quoted(by.search));
  if (identity !== null) parts.push("--identity", quoted(identity));
  for (const filter of filtersOf(by)) parts.push("--where", quoted(filter));
  if (places) parts.push("--by-place");
  return [...parts, "--csv"].join(" ");
}

/** The icon of a kind of place, as `Kind` knows it. */
export const icons: Record<string, string> = { vault: "vault", ci_variable: "ci_variable", kubernetes_secret: "k8s_secret", file: "file", code: "file", document: "file" };
export const KINDS = ["vault", "ci", "cluster", "file", "code", "other"] as const satisfies readonly (keyof PlaceKinds)[];
export const filterOfKind: Partial<Record<keyof PlaceKinds, string>> = { vault: "vault", ci: "ci_variable", cluster: "kubernetes_secret", file: "file", code: "code" };

export const fileOf = (kinds: PlaceKinds): number => kinds.file + kinds.code + kinds.other;
