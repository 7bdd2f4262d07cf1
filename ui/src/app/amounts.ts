/** Numbers and amounts in words, for the strings. */
export const n = (value: number) => new Intl.NumberFormat("en-GB").format(value);
export const many = (value: number, one: string, more = `${one}s`) => `${n(value)} ${value === 1 ? one : more}`;
