//! What a file holds: its fields where it is a known place, and everything in it that has a shape.

use crate::find::{Beside, Find, Named};
use crate::look::{Looker, finds, pair};
use crate::places::{Form, Place};
use crate::{lines, tree};
use lastkey_contract::without_line_end;
use std::collections::BTreeMap;

/// Most finds of one file.
pub const MOST: usize = 1_000;

/// What a text holds, and what of it could not be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub finds: Vec<Find>,
    /// A known place whose form is another than its name says.
    pub not_understood: bool,
}

/// What a whole text holds.
pub fn of(looker: &Looker, place: Option<Place>, text: &[u8]) -> Contents {
    let mut met = looker.met(text);
    pair(&mut met);
    let mut shaped = finds(text, met, 0);
    name_google_key(text, &mut shaped);
    let Some(place) = place else {
        return Contents {
            finds: shaped,
            not_understood: false,
        };
    };
    let words = String::from_utf8_lossy(text);
    let (fields, problem) = match place.form {
        Form::Json | Form::Yaml => tree::finds(place, &words),
        Form::Store => (Vec::new(), None),
        Form::Lines
        | Form::Netrc
        | Form::Pgpass
        | Form::Addresses
        | Form::Whole
        | Form::Authorized => (lines::finds(place, &words), None),
    };
    Contents {
        finds: joined(fields, shaped),
        not_understood: problem.is_some(),
    }
}

/// The key of a service account is named by the file around it.
pub fn name_google_key(text: &[u8], finds: &mut [Find]) {
    let keys = finds.iter_mut().filter(|find| find.rule == "private-key");
    for find in keys.filter(|find| find.named.is_none()) {
        find.named = tree::google_key(text);
    }
}

/// Whether a file that is no text is the store of keys that its name says, by how such files begin.
pub fn is_store(head: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 6] = [
        &[0xfe, 0xed, 0xfe, 0xed], // Java
        &[0xce, 0xce, 0xce, 0xce], // Java, with its own extension
        &[0x03, 0xd9, 0xa2, 0x9a], // KeePass
        b"PuTTY-User-Key-File-",
        &[0x30, 0x82], // PKCS#12: a sequence whose length takes two bytes, or has no end
        &[0x30, 0x80],
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| head.starts_with(beginning))
}

/// The place itself as a find.
pub fn store(place: Place) -> Find {
    Find {
        rule: place.word,
        field: None,
        line: None,
        value: None,
        named: None,
    }
}

/// Fields and shapes as one list: a value that both found is told once, by its field, with the rule
/// that knows more.
fn joined(mut fields: Vec<Find>, shaped: Vec<Find>) -> Vec<Find> {
    let mut rest = Vec::new();
    for one in shaped {
        let wanted = one.value.as_ref().map(crate::find::Value::bytes);
        let same = wanted.and_then(|wanted| {
            fields.iter_mut().find(|field| {
                let value = field.value.as_ref().map(crate::find::Value::bytes);
                value.is_some_and(|value| memchr::memmem::find(value, wanted).is_some())
            })
        });
        let Some(field) = same else {
            rest.push(one);
            continue;
        };
        let value = field.value.as_ref().map(crate::find::Value::bytes);
        if value.map(without_line_end) == wanted {
            field.rule = one.rule;
        }
        if field.named.is_none() {
            field.named = one.named;
        }
    }
    // An id whose secret is told elsewhere in the file says nothing more.
    let told: Vec<String> = fields
        .iter()
        .chain(&rest)
        .filter_map(|find| match &find.named {
            Some(Named::AwsKey {
                id,
                secret: Beside::Secret,
            }) => Some(id.clone()),
            _ => None,
        })
        .collect();
    rest.retain(|find| match &find.named {
        Some(Named::AwsKey {
            id,
            secret: Beside::NameOnly,
        }) => !told.contains(id),
        _ => true,
    });
    fields.append(&mut rest);
    fields.sort_by_key(|find| find.line);
    fields
}

/// Finds with their places in the file, each of which is there once.
pub fn labelled(finds: Vec<Find>) -> Vec<(String, Find)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    finds
        .into_iter()
        .map(|find| {
            let label = find.label();
            let count = seen.entry(label.clone()).or_default();
            *count += 1;
            match count {
                1 => (label, find),
                count => (format!("{label}.{count}"), find),
            }
        })
        .collect()
}
