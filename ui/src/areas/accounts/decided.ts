/** A decision as a sentence. */
import { say } from "../../app/strings";
import type { DecisionLine } from "../../wire/DecisionLine";

export function inWords(line: DecisionLine): string {
  const words = say.accounts.decisions;
  if (line.undoes !== null) return words.undid(line.undoes);
  return words.what[line.what]?.(line.of, line.to ?? "") ?? [line.of, line.what, line.to ?? ""].join(" ").trim();
}
