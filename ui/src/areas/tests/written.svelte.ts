/**
 * The offboarding plan that is being written: kept until the window closes and nowhere else, whatever
 * screen is in front and whether loading it succeeds. Without one, the plan that counts stands for it.
 */
import { estate } from "../../app/estate.svelte";
import { recall, remember } from "../../app/routes.svelte";

export interface Draft {
  name: string;
  text: string;
  /** The plan that counted when writing began. */
  beside: string | null;
}
let draft = $state.raw<Draft | null>(recall<Draft | null>("tests.plan.draft", null));
function keep(next: Draft | null): void {
  draft = next;
  remember("tests.plan.draft", next);
}

const active = () => estate.status?.plan ?? null;
/** A field gives back line feeds alone, whatever was loaded. */
const lines = (text: string) => text.replace(/\r\n?/g, "\n");

export const written = {
  get name() {
    return draft?.name ?? active()?.name ?? "";
  },
  get text() {
    return draft?.text ?? lines(active()?.text ?? "");
  },
  /** The text is not that of the plan that counts. */
  get textDiffers() {
    return draft !== null && draft.text !== lines(active()?.text ?? "");
  },
  get differs() {
    return this.textDiffers || (draft !== null && draft.name !== (active()?.name ?? ""));
  },
  /** Another plan counts than when writing began. */
  get moved() {
    return this.differs && draft?.beside !== (active()?.sha256 ?? null);
  },
};

export function write(change: Partial<Pick<Draft, "name" | "text">>): void {
  const begun: Draft = draft !== null && written.differs ? draft : { name: written.name, text: written.text, beside: active()?.sha256 ?? null };
  keep({ ...begun, ...change });
}

/** Lets go of what was written, and gives it back for whoever wants it again. */
export function letGo(): Draft | null {
  const was = draft;
  keep(null);
  return was;
}
export function putBack(was: Draft | null): void {
  keep(was);
}

/** A span as plans write it. */
export function spanText(seconds: number): string {
  const unit = ([["d", 86_400], ["h", 3600], ["m", 60]] as const).find(([, size]) => seconds >= size && seconds % size === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}

/** Adds a step at the end of the text; false where it stands there already. */
export function addStep(step: { does: string; system: string; within_seconds: number }): boolean {
  const table = `[[step]]\non = "leaver"\nsystem = ${JSON.stringify(step.system)}\ndoes = "${step.does}"\nwithin = "${spanText(step.within_seconds)}"\n`;
  const text = written.text;
  if (text.includes(table)) return false;
  write({ text: text.trim() === "" ? table : `${text.trimEnd()}\n\n${table}` });
  return true;
}
