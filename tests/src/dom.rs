//! Every text that a script can find in the page of a window: what is shown, what fields hold,
//! attributes, what the page keeps, and whatever can be reached from its global object.

use crate::hunt::{Canary, Hunt};
use crate::window::Window;
use std::collections::BTreeMap;

/// Texts with the place of each, gathered over many moments.
#[derive(Debug, Default)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// Adds everything that the page holds now. `moment` says where the person is.
    pub async fn gather(&mut self, window: &Window, moment: &str) {
        let found = window.script_async(GATHER).await;
        let found: Vec<(String, String)> = serde_json::from_value(found).unwrap_or_default();
        assert!(
            found.len() > 100,
            "{moment}: the page holds more than {} texts",
            found.len()
        );
        for (place, text) in found {
            self.0
                .entry(text)
                .or_insert_with(|| format!("{place} at {moment}"));
        }
    }

    /// Looks through all of them.
    pub fn hunt(&self, hunt: &mut Hunt, canaries: &[Canary]) {
        for (text, place) in &self.0 {
            hunt.bytes(place, text.as_bytes(), canaries);
        }
    }
}

/// What stands in the page now and is one of the canaries: a sentence for each.
pub async fn found(window: &Window, canaries: &[Canary]) -> Vec<String> {
    let mut texts = Texts::default();
    texts.gather(window, "now").await;
    let mut hunt = Hunt::default();
    texts.hunt(&mut hunt, canaries);
    hunt.found
}

/// Gives back pairs of place and text, each text once.
const GATHER: &str = r#"
const done = arguments[arguments.length - 1];
const found = new Map();
const put = (place, text) => {
  if (typeof text === "string" && text.length > 0 && !found.has(text)) found.set(text, String(place).slice(0, 200));
};
const seen = new Set();
const reach = [];
const later = (place, value) => {
  if (typeof value === "string") put(place, value);
  else if (value !== null && (typeof value === "object" || typeof value === "function") && !seen.has(value)) {
    seen.add(value);
    reach.push([place, value]);
  }
};
const tree = (root, place) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    put(`${place} ${node.nodeName}`, node.nodeValue);
    later(`what hangs on ${node.nodeName}`, node);
    if (!(node instanceof Element)) continue;
    for (const one of node.attributes) put(`attribute ${one.name} of ${node.nodeName}`, one.value);
    for (const name of ["value", "defaultValue", "title", "placeholder", "ariaLabel", "ariaDescription", "validationMessage"]) put(`${name} of ${node.nodeName}`, node[name]);
    if (node.shadowRoot) tree(node.shadowRoot, "shadow");
    if (node instanceof HTMLTemplateElement) tree(node.content, "template");
    if (node instanceof HTMLIFrameElement && node.contentDocument) tree(node.contentDocument, "frame");
  }
};
tree(document, "text of");
put("what is shown", document.body.innerText);
put("the title", document.title);
put("the address", location.href);
put("the referrer", document.referrer);
put("the cookie", document.cookie);
put("the window's name", window.name);
put("the selection", String(getSelection()));
put("the history", JSON.stringify(history.state));
for (const [name, kept] of [["localStorage", localStorage], ["sessionStorage", sessionStorage]])
  for (let i = 0; i < kept.length; i++) { put(name, kept.key(i)); put(name, kept.getItem(kept.key(i))); }
for (const entry of performance.getEntries()) put("the timeline", JSON.stringify(entry));
for (const sheet of document.styleSheets) { try { for (const rule of sheet.cssRules) put("a style", rule.cssText); } catch { /* another origin */ } }
later("window", window);
while (reach.length > 0 && seen.size < 500000) {
  const [place, object] = reach.pop();
  let keys = [];
  try { keys = Reflect.ownKeys(object); } catch { continue; }
  for (const key of keys) {
    const name = String(key);
    put(`a name in ${place}`, name);
    try {
      const own = Reflect.getOwnPropertyDescriptor(object, key);
      later(`${place}.${name}`.slice(-160), own && "value" in own ? own.value : object[key]);
    } catch { /* may not be read */ }
  }
  try {
    if (object instanceof Map) for (const [key, value] of object) { later(`${place}, a key`, key); later(`${place}, an entry`, value); }
    if (object instanceof Set) for (const value of object) later(`${place}, a member`, value);
    later(`${place}, its kind`, Object.getPrototypeOf(object));
  } catch { /* may not be read */ }
}
const databases = async () => {
  for (const one of (await indexedDB.databases?.()) ?? []) {
    put("a database", one.name);
    const database = await new Promise((yes, no) => { const ask = indexedDB.open(one.name); ask.onsuccess = () => yes(ask.result); ask.onerror = no; });
    for (const name of database.objectStoreNames) {
      const all = await new Promise((yes, no) => { const ask = database.transaction(name).objectStore(name).getAll(); ask.onsuccess = () => yes(ask.result); ask.onerror = no; });
      put(`the database ${one.name}`, JSON.stringify(all));
    }
    database.close();
  }
};
databases().catch((error) => put("the databases", String(error))).finally(() => done([...found].map(([text, place]) => [place, text])));
"#;
