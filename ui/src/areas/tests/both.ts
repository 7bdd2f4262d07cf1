/** One thing in two rankings: by the plan that counts, and by the text being edited. Nothing where a ranking does not name it, which is no zero. */
export interface Both<T> {
  now: T | null;
  then: T | null;
}

/** The first ranking in its order, then what only the second one names. */
export function beside<T>(now: T[] | undefined, then: T[] | undefined, keyOf: (one: T) => string): Both<T>[] {
  const second = new Map((then ?? []).map((one) => [keyOf(one), one]));
  const first = new Set((now ?? []).map(keyOf));
  return [...(now ?? []).map((one) => ({ now: one, then: second.get(keyOf(one)) ?? null })), ...(then ?? []).filter((one) => !first.has(keyOf(one))).map((one) => ({ now: null, then: one }))];
}
