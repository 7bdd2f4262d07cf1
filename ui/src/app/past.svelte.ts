/** The earlier moment that the screen in front shows, if it does: the frame says so on every side. */
import type { MomentView } from "../wire/MomentView";

let shown = $state<MomentView | null>(null);
export const past = {
  get shown() {
    return shown;
  },
};
/** Says that this screen shows the past, and gives back what takes it away again: for `$effect`. */
export function showPast(moment: MomentView): () => void {
  shown = moment;
  return () => {
    shown = null;
  };
}
