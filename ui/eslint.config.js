import svelte from "eslint-plugin-svelte";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

const hostOnly = {
  patterns: [{ group: ["@tauri-apps/*"], message: "only ui/src/host speaks to the program" }],
};

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/wire/"] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      "no-restricted-imports": ["error", hostOnly],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-undef": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // reactive collections are used where a screen depends on them; the others are plain caches
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  { files: ["src/host/**"], rules: { "no-restricted-imports": "off" } },
);
