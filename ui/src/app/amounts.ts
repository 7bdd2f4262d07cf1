/** Numbers and amounts in words, for the strings. */
export const n = (value: number) => new Intl.NumberFormat("en-GB").format(value);
export const many = (value: number, one: string, more = `${one}s`) => `${n(value)} ${value === 1 ? one : more}`;
/** What fails, with what nobody knows beside it: an undecided one is never counted as if it had passed. */
export const sure = (fail: number, unsure: number, all: number, keeps: string) => (unsure === 0 ? `${n(fail)} of ${n(all)} ${keeps}` : fail === 0 ? `${n(unsure)} of ${n(all)} cannot be decided` : `${n(fail)} of ${n(all)} ${keeps}, ${n(unsure)} cannot be decided`);
