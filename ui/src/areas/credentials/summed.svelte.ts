/** All secrets in short: asked for once for each state of the store, by whichever list is in front. */
import { call } from "../../host";
import type { SecretsSummary } from "../../wire/SecretsSummary";

export function summed(version: () => unknown): { readonly answer: SecretsSummary | null } {
  let answer = $state.raw<SecretsSummary | null>(null);
  $effect(() => {
    void version();
    let over = false;
    // what fails is said by the list below it
    call("secrets_summary").then((said) => { if (!over) answer = said; }).catch(() => { if (!over) answer = null; });
    return () => (over = true);
  });
  return {
    get answer() {
      return answer;
    },
  };
}
