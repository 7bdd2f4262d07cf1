/** Which sign and word stand for what the store says about a source. */
import { say } from "../../app/strings";
import type { SignName } from "../../parts/Sign.svelte";
import type { SourceRow } from "../../wire/SourceRow";

/** Order of the groups in the table. */
export const groupOrder = ["truth", "directory", "cloud", "vault", "other"];

const signs: Record<string, SignName> = {
  never: "open", complete: "pass", incomplete: "indeterminate", failed: "fail", reading: "reading", cancelled: "indeterminate",
};
export const signOf = (source: SourceRow): SignName =>
  source.state === "complete" && source.freshness !== "fresh" ? "indeterminate" : (signs[source.state] ?? "indeterminate");

export function rightsOf(source: SourceRow): { text: string; tone: string } {
  const check = source.check;
  const words = say.sources.rights;
  if (!check) return { text: words.unchecked, tone: "t3" };
  if (check.missing_rights.length > 0) return { text: words.missing(check.missing_rights.length), tone: "fail" };
  if (!check.rights_known) return { text: words.unknown, tone: "unsure" };
  if (check.excess_rights.length > 0) return { text: words.excess(check.excess_rights.length), tone: "unsure" };
  return { text: words.least, tone: "" };
}
