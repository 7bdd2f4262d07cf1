//! Shapes that need more than a row of letters after a beginning.

use crate::find::{Named, Value};
use crate::keys;
use crate::look::Met;
use crate::shapes::{Of, free, shown_as_example, varied};
use crate::words::to_replace;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lastkey_contract::password_in_url;
use memchr::memmem;
use std::ops::Range;

/// The rule of an access key's id, which is no secret, and that of its secret.
pub const KEY_ID: &str = "aws-access-key-id";
pub const SECRET_KEY: &str = "aws-secret-access-key";

/// How long an address with a password may be.
const LONGEST_ADDRESS: usize = 2_048;
/// How long a private key may be.
const LONGEST_KEY: usize = 32 * 1024;

/// The shapes of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custom {
    AwsSecret,
    AzureSecret,
    Jwt,
    OpenAi,
    PrivateKey,
    Telegram,
    Terraform,
    UrlPassword,
}

impl Custom {
    pub const ALL: [Custom; 8] = [
        Custom::AwsSecret,
        Custom::AzureSecret,
        Custom::Jwt,
        Custom::OpenAi,
        Custom::PrivateKey,
        Custom::Telegram,
        Custom::Terraform,
        Custom::UrlPassword,
    ];

    /// What is looked for; it need not be where the secret begins.
    pub fn starts(self) -> &'static [&'static str] {
        match self {
            Custom::AwsSecret => &[
                "ecret_access_key",
                "ECRET_ACCESS_KEY",
                "ecretAccessKey",
                "aws_secret_key",
                "AWS_SECRET_KEY",
                "awsSecretKey",
            ],
            Custom::AzureSecret => &["Q~"],
            Custom::Jwt => &["eyJ"],
            Custom::OpenAi => &["T3BlbkFJ"],
            Custom::PrivateKey => &["-----BEGIN "],
            Custom::Telegram => &[":AA"],
            Custom::Terraform => &[".atlasv1."],
            Custom::UrlPassword => &["://"],
        }
    }

    /// The word of the rule.
    pub fn word(self) -> &'static str {
        match self {
            Custom::AwsSecret => SECRET_KEY,
            Custom::AzureSecret => "azure-client-secret",
            Custom::Jwt => "jwt",
            Custom::OpenAi => "openai-api-key",
            Custom::PrivateKey => "private-key",
            Custom::Telegram => "telegram-bot-token",
            Custom::Terraform => "terraform-cloud-token",
            Custom::UrlPassword => "password-in-address",
        }
    }

    /// What stands there in full; `from..after` is what was looked for.
    pub fn look(self, text: &[u8], from: usize, after: usize) -> Option<Met> {
        let met = |at: Range<usize>| {
            let value = text.get(at.clone()).map(Value::new);
            Met {
                rule: self.word(),
                at,
                value,
                named: None,
            }
        };
        match self {
            Custom::AwsSecret => aws_secret(text, after).map(met),
            Custom::AzureSecret => azure_secret(text, from, after).map(met),
            Custom::Jwt => jwt(text, from).map(met),
            Custom::OpenAi => openai(text, from, after).map(met),
            Custom::PrivateKey => private_key(text, from, after),
            Custom::Telegram => telegram(text, from, after).map(met),
            Custom::Terraform => terraform(text, from, after).map(met),
            Custom::UrlPassword => url_password(text, from, after).map(met),
        }
    }
}

/// How many letters of a sort stand from here on.
fn run(text: &[u8], from: usize, of: Of) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().take_while(|byte| of.has(**byte)).count()
}

/// How many letters of a sort stand before here, up to `most`.
fn run_back(text: &[u8], from: usize, of: Of, most: usize) -> usize {
    let before = text.get(..from).unwrap_or_default();
    before
        .iter()
        .rev()
        .take(most)
        .take_while(|byte| of.has(**byte))
        .count()
}

/// Forty letters of base 64 after a name that promises them.
fn aws_secret(text: &[u8], after: usize) -> Option<Range<usize>> {
    let rest = text.get(after..)?;
    let signs = |byte: &&u8| b" \t\"'`:=>,({[\\".contains(byte);
    let between = rest.iter().take(40).take_while(signs).count();
    let start = after + between;
    if between == 0 || run(text, start, Of::Base64) != 40 {
        return None;
    }
    let at = start..start + 40;
    let value = text.get(at.clone())?;
    let mixed = value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_digit);
    let ends = text.get(at.end) != Some(&b'=');
    (ends && mixed && varied(value) && !shown_as_example(value)).then_some(at)
}

/// `abc8Q~` and 31 to 34 more: a client secret of Entra ID.
fn azure_secret(text: &[u8], from: usize, after: usize) -> Option<Range<usize>> {
    let start = from.checked_sub(4)?;
    let before = text.get(start..from)?;
    let is_start = before
        .iter()
        .take(3)
        .all(|b| Of::Dotted.has(*b) || *b == b'~')
        && before.last().is_some_and(u8::is_ascii_digit);
    let rest = text.get(after..)?;
    let long = rest
        .iter()
        .take(60)
        .take_while(|b| Of::Dotted.has(**b) || **b == b'~')
        .count();
    let at = start..after + long;
    let good =
        is_start && (31..=34).contains(&long) && free(text, start) && varied(text.get(at.clone())?);
    good.then_some(at)
}

/// Three parts in base 64, of which the first is a header that names its algorithm.
fn jwt(text: &[u8], from: usize) -> Option<Range<usize>> {
    if !free(text, from) {
        return None;
    }
    let head = run(text, from, Of::Base64Url);
    let dot = |at: usize| (text.get(at) == Some(&b'.')).then_some(at + 1);
    let body_at = dot(from + head)?;
    let body = run(text, body_at, Of::Base64Url);
    let sign_at = dot(body_at + body)?;
    let sign = run(text, sign_at, Of::Base64Url);
    let header = URL_SAFE_NO_PAD.decode(text.get(from..from + head)?).ok()?;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&header).ok()?;
    let algorithm = header.get("alg")?.as_str()?;
    let signed = algorithm != "none" && sign >= 20 && body >= 8;
    signed.then_some(from..sign_at + sign)
}

/// `sk-`, twenty letters, the maker's mark, twenty letters.
fn openai(text: &[u8], from: usize, after: usize) -> Option<Range<usize>> {
    let start = from.checked_sub(23)?;
    let good = text.get(start..from)?.starts_with(b"sk-")
        && run_back(text, from, Of::Base62, 20) == 20
        && run(text, after, Of::Base62) == 20
        && free(text, start);
    good.then_some(start..after + 20)
}

/// The number of a bot, `:AA` and 33 more.
fn telegram(text: &[u8], from: usize, after: usize) -> Option<Range<usize>> {
    let digits = run_back(text, from, Of::Digit, 12);
    let start = from.checked_sub(digits)?;
    let good = (8..=10).contains(&digits)
        && free(text, start)
        && run(text, after, Of::Base64Url) == 33
        && varied(text.get(after..after + 33)?);
    good.then_some(start..after + 33)
}

/// Fourteen letters, `.atlasv1.`, sixty or more.
fn terraform(text: &[u8], from: usize, after: usize) -> Option<Range<usize>> {
    let start = from.checked_sub(14)?;
    let long = run(text, after, Of::Base64Url);
    let good = run_back(text, from, Of::Base62, 14) == 14
        && free(text, start)
        && (60..=80).contains(&long);
    good.then_some(start..after + long)
}

/// An address with a name and a password in it, as a whole.
fn url_password(text: &[u8], from: usize, after: usize) -> Option<Range<usize>> {
    let rest = text.get(after..)?;
    let stops = |byte: &u8| {
        byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`<>|\\^,;".contains(byte)
    };
    // Most addresses have none: the host ends before an `@` comes.
    let host = rest
        .iter()
        .take(512)
        .position(|b| stops(b) || b"/?#".contains(b));
    let host = rest.get(..host.unwrap_or(rest.len().min(512)))?;
    let at_sign = memchr::memchr(b'@', host)?;
    memchr::memchr(b':', host.get(..at_sign)?)?;
    let scheme = text.get(..from)?.iter().rev().take(24);
    let scheme = scheme
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        .count();
    let start = from - scheme;
    let long = rest.iter().take(LONGEST_ADDRESS).position(stops);
    let long = long.unwrap_or(rest.len().min(LONGEST_ADDRESS));
    let mut end = after + long;
    while text.get(end - 1).is_some_and(|byte| b").]}".contains(byte)) {
        end -= 1;
    }
    let address = std::str::from_utf8(text.get(start..end)?).ok()?;
    let password = password_in_url(address)?;
    let good = scheme >= 2 && password.len() > 1 && !to_replace(&password);
    good.then_some(start..end)
}

/// A private key in PEM, whole: also one whose line ends are written `\n`, and one that is set in.
fn private_key(text: &[u8], from: usize, after: usize) -> Option<Met> {
    let rest = text.get(after..)?;
    let label = memmem::find(rest.get(..rest.len().min(64))?, b"-----")?;
    let label = rest.get(..label)?;
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let ending = [b"-----END ", label, b"-----"].concat();
    let within = rest.get(..rest.len().min(LONGEST_KEY))?;
    let inner_at = label.len() + 5;
    let end = memmem::find(within, &ending)?;
    let inner = bare(rest.get(inner_at..end)?);
    let dense: Vec<&[u8]> = inner
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && !line.contains(&b':'))
        .collect();
    let size: usize = dense.iter().map(|line| line.len()).sum();
    let base64 = |line: &&[u8]| line.iter().all(|b| Of::Base64.has(*b) || *b == b'=');
    if size < 48 || !dense.iter().all(base64) || !varied(&dense.concat()) {
        return None;
    }
    let named = (label == b"OPENSSH PRIVATE KEY")
        .then(|| keys::of_private(&dense.concat()))
        .flatten()
        .map(|print| Named::SshKey {
            print,
            comment: String::new(),
        });
    let at = from..after + end + ending.len();
    Some(Met {
        rule: Custom::PrivateKey.word(),
        value: text.get(at.clone()).map(|whole| Value::owned(bare(whole))),
        at,
        named,
    })
}

/// A text with its line ends as such, without what stands before its lines and after them.
fn bare(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next_if_eq(&b'n').is_some() => out.push(b'\n'),
            b'\\' if bytes.next_if_eq(&b'r').is_some() => {}
            b'\r' => {}
            b' ' | b'\t' if matches!(out.last(), None | Some(b'\n')) => {}
            other => out.push(other),
        }
    }
    out
}
