//! Takes known secret values out of what a source said before it is written: out of texts, and
//! out of facts, for a server may put into an attribute what it was sent.

use super::disguise;
use crate::store::as_written;
use lastkey_contract::{CheckReport, ConnectorError, Kind, Note, NoteKind, Page, Right, Secret};
use memchr::memmem;
use serde_json::Value;
use zeroize::Zeroizing;

/// What stands in a text instead of a secret.
const HIDDEN: &str = "(hidden)";
/// Shorter secrets are not looked for in facts: they stand in names by chance, and a fact that
/// says something else than its source is worse.
const MIN_IN_FACTS: usize = 8;

/// Takes these values out of whatever a source said, however they are written down.
pub struct Redactor {
    forms: Vec<Zeroizing<String>>,
    in_facts: Vec<Zeroizing<String>>,
    /// The same as they stand in a fact that is written down.
    written: Vec<Zeroizing<String>>,
}

impl Redactor {
    /// For these values.
    pub fn new(secrets: &[Secret]) -> Self {
        let long: Vec<Secret> = secrets
            .iter()
            .filter(|secret| secret.expose().trim().len() >= MIN_IN_FACTS)
            .cloned()
            .collect();
        let in_facts = disguise::forms(&long);
        // A form may hold quotes and backslashes itself, and these are written as two signs.
        let mut written: Vec<Zeroizing<String>> = in_facts
            .iter()
            .map(|form| Zeroizing::new(as_written(form)))
            .collect();
        written.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        written.dedup();
        Self {
            forms: disguise::forms(secrets),
            in_facts,
            written,
        }
    }

    /// A text without them.
    pub fn clean(&self, text: &str) -> String {
        without(&self.forms, text)
    }

    /// What is looked for in facts, as one text: where it is another one, every fact has to be
    /// looked at again.
    pub(super) fn sought(&self) -> Zeroizing<String> {
        let mut all = Zeroizing::new(String::new());
        for form in &self.written {
            all.push_str(form);
            all.push('\n');
        }
        all
    }

    /// Whether any of these texts, of facts as they will be written, holds a secret.
    pub(super) fn stands_in<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        if self.written.is_empty() {
            return false;
        }
        // Searched as one: looking up and down for a dozen forms in a thousand short texts takes
        // longer than in a long one.
        let mut all = Zeroizing::new(String::new());
        for text in texts {
            all.push_str(text);
            all.push('\n');
        }
        self.written
            .iter()
            .any(|form| memmem::find(all.as_bytes(), form.as_bytes()).is_some())
    }

    /// A page without marks that hold a secret: what is kept of a read to go on from it later is
    /// kept as the source gave it, or not at all.
    pub(super) fn marks(&self, mut page: Page, kind: Kind) -> Page {
        let holds = |mark: &str| {
            self.in_facts
                .iter()
                .any(|form| mark.contains(form.as_str()))
        };
        let count = u64::from(page.next.as_ref().is_some_and(|mark| holds(&mark.0)))
            + u64::from(page.watermark.as_deref().is_some_and(holds));
        if count == 0 {
            return page;
        }
        page.next = page.next.filter(|mark| !holds(&mark.0));
        page.watermark = page.watermark.filter(|mark| !holds(mark));
        page.notes.push(Note {
            kind: NoteKind::Remark,
            about: kind,
            reason: "the source's own secret stood in its mark for going on, which is not kept"
                .to_owned(),
            count,
            examples: Vec::new(),
        });
        page
    }

    /// The facts of a page without the secrets. That there were any is said; a fact that cannot
    /// be without them is left out, and so counts as failed.
    pub(super) fn page(&self, mut page: Page) -> Page {
        let Some(first) = page.records.first() else {
            return page;
        };
        let about = first.kind();
        let mut count = 0;
        // What is kept is not what the source's records say.
        page.stamps.clear();
        let records = std::mem::take(&mut page.records);
        page.records = records
            .into_iter()
            .filter_map(|fact| {
                // What cannot be written down is not written down by the store either.
                let Ok(as_sent) = serde_json::to_value(&fact) else {
                    return Some(fact);
                };
                let mut cleaned = as_sent.clone();
                self.value(&mut cleaned);
                if cleaned == as_sent {
                    return Some(fact);
                }
                count += 1;
                serde_json::from_value(cleaned).ok()
            })
            .collect();
        if count > 0 {
            page.notes.push(Note {
                kind: NoteKind::Remark,
                about,
                reason: "the source's own secret stood in what it sent and was taken out"
                    .to_owned(),
                count,
                examples: Vec::new(),
            });
        }
        page
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = without(&self.in_facts, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => {
                let cleaned = std::mem::take(map).into_iter().map(|(key, mut item)| {
                    self.value(&mut item);
                    (without(&self.in_facts, &key), item)
                });
                *map = cleaned.collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    pub(super) fn note(&self, note: &Note) -> Note {
        Note {
            kind: note.kind,
            about: note.about,
            reason: self.clean(&note.reason),
            count: note.count,
            examples: note.examples.iter().map(|e| self.clean(e)).collect(),
        }
    }

    /// A failure of a source: a server may say back what it was sent.
    pub fn error(&self, error: ConnectorError) -> ConnectorError {
        let ConnectorError {
            kind,
            system,
            operation,
            message,
            hint,
            request_id,
            retry_after_ms,
        } = error;
        ConnectorError {
            kind,
            system: self.clean(&system),
            operation,
            message: self.clean(&message),
            hint: hint.map(|text| self.clean(&text)),
            request_id: request_id.map(|text| self.clean(&text)),
            retry_after_ms,
        }
    }

    /// What a check found.
    pub fn check(&self, report: CheckReport) -> CheckReport {
        let CheckReport {
            signed_in_as,
            server,
            missing_rights,
            excess_rights,
            rights_known,
            warnings,
            remarks,
        } = report;
        let rights = |rights: Vec<Right>| {
            let cleaned = rights.into_iter().map(|Right { name, why }| Right {
                name: self.clean(&name),
                why: self.clean(&why),
            });
            cleaned.collect()
        };
        CheckReport {
            signed_in_as: signed_in_as.map(|text| self.clean(&text)),
            server: server.map(|text| self.clean(&text)),
            missing_rights: rights(missing_rights),
            excess_rights: rights(excess_rights),
            rights_known,
            warnings: warnings.iter().map(|text| self.clean(text)).collect(),
            remarks: remarks.iter().map(|text| self.clean(text)).collect(),
        }
    }
}

/// The text with each of the forms replaced.
fn without(forms: &[Zeroizing<String>], text: &str) -> String {
    let mut text = text.to_owned();
    for form in forms {
        if text.contains(form.as_str()) {
            text = text.replace(form.as_str(), HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::seeded::account;
    use super::*;
    use lastkey_contract::Fact;

    const CANARY: &str = "canary \"s3cret\"/9f2";

    fn page(texts: &[&str]) -> Page {
        let records: Vec<Fact> = texts
            .iter()
            .map(|text| {
                let mut fact = account("ad", "a", "");
                if let Fact::Account(account) = &mut fact {
                    account.name = Some((*text).to_owned());
                    account
                        .attributes
                        .insert("info".to_owned(), (*text).to_owned());
                }
                fact
            })
            .collect();
        Page {
            received: u64::try_from(records.len()).unwrap(),
            records,
            ..Page::default()
        }
    }

    #[test]
    fn a_secret_in_a_fact_is_taken_out_and_that_is_said() {
        let secrets = [Secret::new(CANARY.to_owned())];
        let redactor = Redactor::new(&secrets);
        let hex = "63616e6172792022733363726574222f396632";
        let cleaned = redactor.page(page(&["innocent", CANARY, &format!("x{hex}y")]));
        let text = serde_json::to_string(&cleaned.records).unwrap();
        assert!(!text.contains("s3cret") && !text.contains(hex), "{text}");
        assert_eq!(text.matches("\"(hidden)\"").count(), 2, "{text}");
        assert_eq!(text.matches("\"x(hidden)y\"").count(), 2, "{text}");
        assert_eq!(text.matches("\"innocent\"").count(), 2, "{text}");
        assert_eq!(cleaned.notes.len(), 1);
        assert_eq!(cleaned.notes[0].count, 2);
    }

    #[test]
    fn a_form_with_quotes_or_backslashes_is_found_in_what_will_be_written() {
        let secret = "p\u{8}ä,ss\"w\\ord=1";
        let redactor = Redactor::new(&[Secret::new(secret.to_owned())]);
        for form in disguise::forms(&[Secret::new(secret.to_owned())]) {
            let sent = page(&["innocent", &format!("said: {}", form.as_str())]);
            let texts: Vec<String> = sent
                .records
                .iter()
                .map(|fact| crate::store::payload(fact).unwrap())
                .collect();
            let texts = texts.iter().map(String::as_str);
            assert!(redactor.stands_in(texts), "{}", form.as_str());
            let cleaned = redactor.page(sent);
            let text = serde_json::to_string(&cleaned.records).unwrap();
            assert_eq!(text.matches("\"said: (hidden)").count(), 2, "{text}");
            assert_eq!(cleaned.notes[0].count, 1);
        }
    }

    #[test]
    fn facts_without_secrets_stay_as_they_are_also_with_a_short_password() {
        let secrets = [Secret::new("admin".to_owned())];
        let as_sent = page(&["admin", "somebody"]);
        assert_eq!(Redactor::new(&secrets).page(as_sent.clone()), as_sent);
        let none = [Secret::new(CANARY.to_owned())];
        assert_eq!(Redactor::new(&none).page(as_sent.clone()), as_sent);
    }

    #[test]
    fn a_text_that_repeats_a_secret_in_another_writing_is_cleaned() {
        let secrets = [Secret::new("reader-0815-canary".to_owned())];
        let redactor = Redactor::new(&secrets);
        for said in [
            "no: reader-0815-canary",
            "no: cmVhZGVyLTA4MTUtY2FuYXJ5",
            "Basic dXNlcjpyZWFkZXItMDgxNS1jYW5hcnk=",
            "no: 7265616465722D303831352D63616E617279",
        ] {
            let cleaned = redactor.clean(said);
            assert!(cleaned.contains(HIDDEN), "{cleaned}");
        }
        assert_eq!(redactor.clean("nothing of it"), "nothing of it");
    }
}
