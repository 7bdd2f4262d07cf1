/** The contrast table of the visual direction, computed from the tokens: text 4.5, control edges and focus 3.0. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../src/app/tokens.css", import.meta.url), "utf8");
type Theme = Record<string, string>;
function block(selector: string): Theme {
  const start = css.indexOf(`${selector} {`);
  expect(start, `${selector} stands in tokens.css`).toBeGreaterThan(-1);
  const body = css.slice(start, css.indexOf("\n}", start));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9A-Fa-f]{6})/g)].map((hit) => [hit[1] ?? "", hit[2] ?? ""]));
}
const light = block(":root");
const themes: Record<string, Theme> = {
  light, dark: { ...light, ...block(':root[data-theme="dark"]') }, contrast: { ...light, ...block(':root[data-theme="contrast"]') }, "contrast-light": { ...light, ...block(':root[data-theme="contrast-light"]') },
};
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(theme: Theme, front: string, back: string): number {
  const [a, b] = [luminance(theme[front] ?? "#000000"), luminance(theme[back] ?? "#000000")];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
const surfaces = ["ground", "page", "raised", "sunken", "hover", "selected"];
const washes: Record<string, string[]> = { pass: ["pass-wash"], fail: ["fail-wash"], unsure: ["unsure-wash"], "text-1": ["pass-wash", "fail-wash", "unsure-wash"], "text-2": ["pass-wash", "fail-wash", "unsure-wash"] };

describe.each(Object.entries(themes))("%s", (_, theme) => {
  it.each(["text-1", "text-2", "text-3", "accent", "pass", "fail", "unsure", "observed", "attested", "assumed"])("--%s is text on every surface", (front) => {
    for (const back of [...surfaces, ...(washes[front] ?? [])]) expect(contrast(theme, front, back), `${front} on ${back}`).toBeGreaterThanOrEqual(4.5);
  });
  it("text on a filled button and the mark in a filled sign are text", () => {
    expect(contrast(theme, "on-accent", "accent-fill")).toBeGreaterThanOrEqual(4.5);
    for (const sign of ["pass", "fail", "unsure"]) expect(contrast(theme, "on-verdict", sign)).toBeGreaterThanOrEqual(4.5);
  });
  it("control edges and focus stand out", () => {
    for (const back of surfaces) {
      expect(contrast(theme, "line-control", back), `edge on ${back}`).toBeGreaterThanOrEqual(3);
      expect(contrast(theme, "accent", back), `focus on ${back}`).toBeGreaterThanOrEqual(3);
    }
  });
});
