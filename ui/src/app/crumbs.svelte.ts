/** The way down to where we are; the screen in front writes it. */
export interface Crumb {
  text: string;
  go?: () => void;
}
let list = $state<Crumb[]>([]);
export const crumbs = {
  get list() {
    return list;
  },
};
export function setCrumbs(next: Crumb[]): void {
  list = next;
}
