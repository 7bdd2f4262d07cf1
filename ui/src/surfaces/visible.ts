/**
 * Text that could hide: control characters, direction overrides and zero-width characters stand as
 * their code, so that two names that look alike can be told apart. Everything else is left as it is.
 */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const code = (letter: string) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`;

export function visible(text: string): string {
  return text.replace(HIDDEN, code);
}

/** Writing in which joiners are letters like others; and pictures that are joined from several. */
const JOINS = /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u;

/** The same for what people are called: a joiner stays where its writing needs it. */
export function visibleName(text: string): string {
  return text.replace(HIDDEN, (letter, at: number) => {
    const before = Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? "";
    const after = Array.from(text.slice(at + 1, at + 3))[0] ?? "";
    const joiner = letter === "\u200c" || letter === "\u200d";
    return joiner && JOINS.test(before) && JOINS.test(after) ? letter : code(letter);
  });
}
