//! The least rights as ready texts: a policy for the reader, and one for fingerprints.

use crate::needs::needs;
use crate::settings::{Cloud, Part};
use lastkey_contract::{Script, Settings};
use serde_json::{Value, json};

/// The texts, made from the settings as far as they are given.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    // What is not filled in yet must not take away what is.
    let mut filled = settings.clone();
    for (key, stand_in) in [
        ("system", "s"),
        ("regions", "us-east-1"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("profile", "reader"),
    ] {
        if filled.get(key).is_none() {
            filled.0.insert(key.to_owned(), stand_in.to_owned());
        }
    }
    let cloud = Cloud::from_settings(&filled).ok();
    let actions: Vec<&str> = needs(cloud.as_ref())
        .iter()
        .map(|need| need.action)
        .collect();
    let reads = |part| cloud.as_ref().is_none_or(|cloud| cloud.reads(part));
    let mut values = Vec::new();
    if reads(Part::Secrets) {
        values.push("secretsmanager:GetSecretValue");
    }
    if reads(Part::Parameters) {
        values.push("ssm:GetParameter");
    }
    let mut texts = vec![Script {
        title: "Least rights for reading".to_owned(),
        usage: "save as lastkey-reader.json and run `aws iam create-policy --policy-name lastkey-reader --policy-document file://lastkey-reader.json`, then attach the policy to the user or role that reads".to_owned(),
        file_name: "lastkey-reader.json".to_owned(),
        text: policy(&actions),
    }];
    if !values.is_empty() {
        values.push("kms:Decrypt");
        texts.push(Script {
            title: "A login of its own for fingerprints".to_owned(),
            usage: "only where fingerprints are switched on: it reads values; attach it to a user of its own, never to the one that reads".to_owned(),
            file_name: "lastkey-values.json".to_owned(),
            text: policy(&values),
        });
    }
    texts
}

fn policy(actions: &[&str]) -> String {
    let document: Value = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Lastkey",
            "Effect": "Allow",
            "Action": actions,
            "Resource": "*",
        }],
    });
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_may_list_and_never_reads_a_value_or_changes_anything() {
        let texts = scripts(&Settings::default());
        let [reader, values] = texts.as_slice() else {
            panic!("{texts:?}");
        };
        for word in [
            "GetSecretValue",
            "GetParameter\"",
            "Decrypt",
            "Create",
            "Put",
            "Update",
            "*:",
        ] {
            assert!(!reader.text.contains(word), "{word}");
        }
        assert!(values.text.contains("secretsmanager:GetSecretValue"));
        let letters = reader.text.split_whitespace().collect::<String>().len();
        assert!(
            letters < 6_144,
            "{letters} letters are too many for a managed policy"
        );
    }

    #[test]
    fn what_is_left_out_needs_no_right() {
        let mut settings = Settings::default();
        let out = "secrets,parameters,organization,identity_center,credential_report";
        settings.0.insert("leave_out".to_owned(), out.to_owned());
        let texts = scripts(&settings);
        assert_eq!(texts.len(), 1);
        for word in [
            "secretsmanager",
            "ssm:",
            "kms:",
            "organizations",
            "sso:",
            "Report",
        ] {
            assert!(!texts[0].text.contains(word), "{word}");
        }
    }
}
