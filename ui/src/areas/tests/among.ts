/**
 * Whom the list of everyone is narrowed to by what they would keep: the names that the address and the
 * program's filters share.
 */
export const AMONG = ["secret", "keeps_in"] as const;
export type Among = { by: (typeof AMONG)[number]; value: string };

/** What an address asks for; a secret goes before a system where it asks for both. */
export function amongOf(ask: Record<string, string>): Among | null {
  const by = AMONG.find((one) => (ask[one] ?? "") !== "");
  return by ? { by, value: ask[by] ?? "" } : null;
}
/** The same as an address has it. */
export const askOf = (among: Among | null): Record<string, string> => (among ? { [among.by]: among.value } : {});
