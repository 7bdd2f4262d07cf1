/**
 * Cutting long text in the middle, keeping the ends that tell ids apart.
 * Host names keep their first name, which tells them apart under one domain.
 * Paths keep their end (many differ only before a common last part), distinguished names their first. Never cuts inside a character.
 */
export function cutMiddle(text: string, room: number): string {
  const letters = Array.from(text);
  if (letters.length <= room || room < 3) return text;
  const keep = room - 1;
  if (/^(cn|uid|ou|dc)=/i.test(text)) return letters.slice(0, keep).join("") + "…";
  const host = /^([a-z0-9-]+)(?:\.[a-z0-9-]+){2,}$/i.exec(text)?.[1];
  if (host !== undefined && host.length > Math.ceil(keep / 2) && room > 8) return host.length <= keep ? letters.slice(0, keep).join("") + "…" : `${cutMiddle(host, keep)}…`;
  const slash = text.lastIndexOf("/");
  if (slash > 0) {
    const last = Array.from(text.slice(slash));
    if (text.indexOf("/") < slash && last.length < keep - 2) return "…" + letters.slice(letters.length - keep).join("");
    if (last.length <= keep - 2) return letters.slice(0, keep - last.length).join("") + "…" + last.join("");
  }
  const head = Math.ceil(keep / 2);
  return letters.slice(0, head).join("") + "…" + letters.slice(letters.length - (keep - head)).join("");
}
