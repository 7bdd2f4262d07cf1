/** Messages of the program start in lower case; on screen a sentence starts with a capital. */
export function sentence(text: string): string {
  // a word with other marks than letters is an address or a name, and stays as it is
  const word = /^\p{L}[\p{L}'’-]*(?=[\s,;:.!?]|$)(?!:\/\/)/u.test(text);
  const begun = word ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return begun + (/[.!?]$/.test(text) ? "" : ".");
}
