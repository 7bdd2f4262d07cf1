/** Short messages at the foot. A failure stays until it is closed; a remark goes after four seconds. */
import { asFailure } from "../host";
import { sentence } from "./sentence";

export interface Toast {
  id: number;
  text: string;
  hint: string | null;
  failed: boolean;
  /** What can be done about it, such as undoing. */
  act: Act | null;
}
export interface Act {
  label: string;
  run: () => void;
}
let list = $state<Toast[]>([]);
let next = 1;

export const toasts = {
  get list() {
    return list;
  },
};
export function dismiss(id: number): void {
  list = list.filter((toast) => toast.id !== id);
}
export function toast(text: string, act: Act | null = null): void {
  const id = next++;
  list = [...list.slice(-1), { id, text, hint: null, failed: false, act }];
  // who may want to act needs time to
  setTimeout(() => dismiss(id), act ? 12_000 : 4000);
}
export function toastFailure(thrown: unknown): void {
  const failure = asFailure(thrown);
  list = [...list.slice(-2), { id: next++, text: sentence(failure.message), hint: failure.hint, failed: true, act: null }];
}
