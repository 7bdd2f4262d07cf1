import { visible } from "../surfaces/visible";

/** Messages of the program start in lower case; on screen a sentence starts with a capital. */
export function sentence(text: string): string {
  // a word with other marks than letters is an address or a name, and stays as it is
  const word = /^\p{L}[\p{L}'’-]*(?=[\s,;:.!?]|$)(?!:\/\/)/u.test(text);
  const begun = word ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return begun + (/[.!?]$/.test(text) ? "" : ".");
}

/** A failure as one text: what it says and what to do about it. */
export function refusal(failure: { message: string; hint: string | null }): string {
  return failure.hint ? `${sentence(failure.message)} ${sentence(failure.hint)}` : sentence(failure.message);
}

/** Where nothing can be set in mono, as in a tooltip: the same without its marks. */
export function plain(text: string | null | undefined): string | undefined {
  return text == null ? undefined : visible(text.replaceAll("`", ""));
}
