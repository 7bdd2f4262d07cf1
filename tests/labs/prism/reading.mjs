// Makes, of GitHub's whole OpenAPI document, the part that Prism can take in a few seconds: every
// operation that reads, with what it refers to. What refers to a file that is not published is
// left out and named.
//
//   node reading.mjs WHOLE.json PART.json

import { readFileSync, writeFileSync } from "node:fs";

const [whole, part] = process.argv.slice(2);
const document = JSON.parse(readFileSync(whole, "utf8"));

function references(value, found = []) {
  if (Array.isArray(value)) value.forEach((item) => references(item, found));
  else if (value && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) {
      if (key === "$ref" && typeof item === "string") found.push(item);
      else references(item, found);
    }
  }
  return found;
}

function at(pointer) {
  return pointer
    .slice(2)
    .split("/")
    .reduce((value, step) => value?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

const paths = {};
const kept = new Set();
for (const [path, operations] of Object.entries(document.paths)) {
  if (!operations.get) continue;
  const mine = new Set();
  let open = true;
  const waiting = references(operations.get);
  while (waiting.length > 0) {
    const pointer = waiting.pop();
    if (!pointer.startsWith("#/") || at(pointer) === undefined) {
      console.error(`left out: ${path} refers to ${pointer}`);
      open = false;
      break;
    }
    if (mine.has(pointer)) continue;
    mine.add(pointer);
    waiting.push(...references(at(pointer)));
  }
  if (!open) continue;
  paths[path] = { get: operations.get };
  mine.forEach((pointer) => kept.add(pointer));
}

const components = {};
for (const pointer of kept) {
  const [, , group, name] = pointer.split("/");
  components[group] ??= {};
  components[group][name] = document.components[group][name];
}
const { openapi, info, servers } = document;
writeFileSync(part, JSON.stringify({ openapi, info, servers, paths, components }));
