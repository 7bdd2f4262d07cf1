import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Relative addresses, because the window serves the files under its own scheme. No inline script, no
// module preload polyfill: the content security policy allows files of our own only.
export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0, emptyOutDir: true },
  server: { port: 5317, strictPort: true },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
