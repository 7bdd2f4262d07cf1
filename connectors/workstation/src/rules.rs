//! True and false cases of every rule. Tokens are made here at run time, from what their makers say
//! of them, so that nothing that looks like one stands in the repository.

use crate::custom::Custom;
use crate::look::{Looker, pair};
use crate::shapes::SHAPES;
use crate::sums::crc62_of;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeSet;

const B62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const URL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const B64: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
const HEX: &str = "0123456789abcdef";
const CAPS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SMALL: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// Letters without a pattern, the same for the same seed; the first and the last are never signs.
pub fn some(letters: &str, count: usize, seed: u64) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (count as u64);
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state = state.wrapping_add(0x2545_f491_4f6c_dd1d);
        (state >> 33) as usize
    };
    let mut text: Vec<char> = (0..count)
        .map(|_| letters[next() % letters.len()])
        .collect();
    for end in [0, count.saturating_sub(1)] {
        if let Some(letter) = text.get_mut(end)
            && !letter.is_ascii_alphanumeric()
        {
            *letter = letters[next() % 10];
        }
    }
    text.into_iter().collect()
}

/// One thing that a token is made of.
enum Of {
    /// These letters.
    Is(&'static str),
    /// So many of a sort.
    Any(&'static str, usize),
    /// The sum of the letters since the beginning.
    Sum,
}
use Of::{Any, Is, Sum};

fn token(parts: &[Of], seed: u64) -> String {
    let mut text = String::new();
    let mut body = String::new();
    for (n, part) in parts.iter().enumerate() {
        let more = match part {
            Is(letters) => (*letters).to_owned(),
            Any(letters, count) => some(letters, *count, seed + n as u64),
            Sum => String::from_utf8(crc62_of(body.as_bytes()).to_vec()).unwrap(),
        };
        if n > 0 {
            body.push_str(&more);
        }
        text.push_str(&more);
    }
    text
}

/// What a rule finds: the word, and what a token of it is made of, as its maker says.
#[rustfmt::skip]
const CASES: &[(&str, &[Of])] = &[
    ("age-secret-key", &[Is("AGE-SECRET-KEY-1"), Any("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)]),
    ("jfrog-api-key", &[Is("AKCp"), Any(B62, 69)]),
    ("atlassian-api-token", &[Is("ATATT3"), Is("xFfGF0"), Any(URL, 180), Is("="), Any("0123456789ABCDEF", 8)]),
    ("aws-access-key-id", &[Is("AKIA"), Any(BASE32, 16)]),
    ("aws-access-key-id", &[Is("ASIA"), Any(BASE32, 16)]),
    ("azure-storage-key", &[Is("AccountKey="), Any(B64, 86), Is("==")]),
    ("crates-io-token", &[Is("cio"), Any(B62, 32)]),
    ("databricks-token", &[Is("dapi"), Any(HEX, 32)]),
    ("digitalocean-token", &[Is("dop_v1_"), Any(HEX, 64)]),
    ("discord-webhook", &[Is("discord.com/api/webhooks/"), Any(DIGITS, 19), Is("/"), Any(URL, 68)]),
    ("docker-token", &[Is("dckr_pat_"), Any(URL, 27)]),
    ("doppler-token", &[Is("dp.pt."), Any(B62, 43)]),
    ("dynatrace-token", &[Is("dt0c01."), Any(CAPS, 24), Is("."), Any(CAPS, 64)]),
    ("github-token", &[Is("ghp_"), Any(B62, 30), Sum]),
    ("github-token", &[Is("gho_"), Any(B62, 30), Sum]),
    ("github-token", &[Is("ghs_"), Any(B62, 30), Sum]),
    ("github-fine-grained-token", &[Is("github_pat_"), Any(B62, 22), Is("_"), Any(B62, 59)]),
    ("gitlab-token", &[Is("glpat-"), Any(URL, 20)]),
    ("gitlab-token", &[Is("glptt-"), Any(HEX, 40)]),
    ("google-api-key", &[Is("AIza"), Is("Sy"), Any(URL, 33)]),
    ("google-client-secret", &[Is("GOCSPX-"), Any(URL, 28)]),
    ("google-access-token", &[Is("ya29."), Any(URL, 150)]),
    ("grafana-token", &[Is("glsa_"), Any(B62, 32), Is("_"), Any(HEX, 8)]),
    ("heroku-api-key", &[Is("HRKU-AA"), Any(URL, 58)]),
    ("huggingface-token", &[Is("hf_"), Any(LETTERS, 34)]),
    ("linear-api-key", &[Is("lin_api_"), Any(B62, 40)]),
    ("netlify-token", &[Is("nfp_"), Any(B62, 36)]),
    ("new-relic-key", &[Is("NRAK-"), Any(CAPS, 27)]),
    ("npm-token", &[Is("npm_"), Any(B62, 30), Sum]),
    ("nuget-api-key", &[Is("oy2"), Any(SMALL, 43)]),
    ("onepassword-token", &[Is("ops_eyJ"), Any(URL, 400)]),
    ("openai-api-key", &[Is("sk-proj-"), Any(URL, 156)]),
    ("planetscale-token", &[Is("pscale_tkn_"), Any(URL, 43)]),
    ("postman-api-key", &[Is("PMAK-"), Any(HEX, 24), Is("-"), Any(HEX, 34)]),
    ("pulumi-token", &[Is("pul-"), Any(HEX, 40)]),
    ("pypi-token", &[Is("pypi-"), Is("AgEIcHlwaS5vcmc"), Any(URL, 120)]),
    ("rubygems-api-key", &[Is("rubygems_"), Any(HEX, 48)]),
    ("sendgrid-api-key", &[Is("SG."), Any(URL, 22), Is("."), Any(URL, 43)]),
    ("sentry-token", &[Is("sntryu_"), Any(HEX, 64)]),
    ("shopify-token", &[Is("shpat_"), Any(HEX, 32)]),
    ("slack-token", &[Is("xoxb-"), Any("123456789", 12), Is("-"), Any("123456789", 13), Is("-"), Any(B62, 24)]),
    ("slack-app-token", &[Is("xapp-"), Is("1-A0"), Any(CAPS, 9), Is("-"), Any("123456789", 13), Is("-"), Any(HEX, 64)]),
    ("slack-webhook", &[Is("hooks.slack.com/services/"), Is("T0"), Any(CAPS, 9), Is("/B0"), Any(CAPS, 9), Is("/"), Any(B62, 24)]),
    ("square-secret", &[Is("sq0csp-"), Any(URL, 43)]),
    ("stripe-key", &[Is("sk_live_"), Any(B62, 24)]),
    ("stripe-key", &[Is("rk_test_"), Any(B62, 99)]),
    ("stripe-webhook-secret", &[Is("whsec_"), Any(B62, 32)]),
    ("supabase-token", &[Is("sbp_"), Any(HEX, 40)]),
    ("tailscale-key", &[Is("tskey-auth-"), Any(B62, 17), Is("-"), Any(B62, 32)]),
    ("vault-token", &[Is("hvs."), Is("CAES"), Any(URL, 90)]),
    ("vault-token", &[Is("hvb."), Is("AAAAAQ"), Any(URL, 130)]),
    ("openai-api-key", &[Is("sk-"), Any(B62, 20), Is("T3BlbkFJ"), Any(B62, 20)]),
    ("telegram-bot-token", &[Any("123456789", 9), Is(":AA"), Any(URL, 33)]),
    ("terraform-cloud-token", &[Any(B62, 14), Is(".atlasv1."), Any(URL, 67)]),
    ("azure-client-secret", &[Any(B62, 3), Is("8Q~"), Any(URL, 31)]),
];

/// What is found in a text: rules and values.
fn found(text: &str) -> Vec<(&'static str, String)> {
    let looker = Looker::new().unwrap();
    let mut met = looker.met(text.as_bytes());
    pair(&mut met);
    met.into_iter()
        .map(|one| {
            let at = text.as_bytes()[one.at].to_vec();
            (one.rule, String::from_utf8(at).unwrap())
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let found = found(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(r, v)| (*r, v.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_rule_has_cases() {
    let cases: BTreeSet<&str> = CASES.iter().map(|(word, _)| *word).collect();
    let by_hand = [
        "aws-secret-access-key",
        "jwt",
        "private-key",
        "password-in-address",
    ];
    let all = SHAPES.iter().map(|shape| shape.word);
    for word in all.chain(Custom::ALL.into_iter().map(Custom::word)) {
        assert!(cases.contains(word) || by_hand.contains(&word), "{word}");
    }
}

#[test]
fn tokens_are_found_wherever_they_stand() {
    for (word, parts) in CASES {
        for seed in [1, 2, 3] {
            let token = token(parts, seed);
            for text in [
                token.clone(),
                format!("TOKEN={token}\n"),
                format!("\"{token}\","),
                format!("line one\\n{token}\\nline three"),
                format!("({token})"),
                format!("It is `{token}`."),
            ] {
                check(&text, &[(word, &token)]);
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_token_is_none() {
    for (word, parts) in CASES {
        for seed in [1, 2] {
            let token = token(parts, seed);
            let last = token.chars().last().unwrap();
            // One letter too few; of a sort that may be shorter, far too few.
            let short: String = token.chars().take(token.len() - 1).collect();
            let begins = parts.iter().enumerate().take_while(|(n, part)| match part {
                Is(_) | Sum => true,
                Any(..) => *n == 0,
            });
            let begins = begins.map(|(_, part)| match part {
                Is(letters) => letters.len(),
                Any(_, count) => *count,
                Sum => 6,
            });
            let begins: usize = begins.sum();
            let shorter: String = token.chars().take(begins + 12).collect();
            // Part of a longer word.
            let inside = format!("x{token}");
            let exact = !found(&format!("{token}{last}{last}{last}"))
                .iter()
                .any(|(w, _)| w == word);
            let near = match exact {
                true => [short, inside.clone()],
                false => [shorter, inside.clone()],
            };
            let starts_with_any = matches!(parts.first(), Some(Any(..)));
            for text in near
                .iter()
                .filter(|text| !(starts_with_any && **text == inside))
            {
                let found = found(text);
                assert!(
                    !found.iter().any(|(w, _)| w == word),
                    "{word}: {text}: {found:?}"
                );
            }
            // What repeats one letter, as documents do.
            let Some(Is(start)) = parts.first() else {
                continue;
            };
            let same: String = token
                .chars()
                .enumerate()
                .map(|(n, c)| {
                    if n < start.len() || !c.is_alphanumeric() {
                        c
                    } else {
                        'A'
                    }
                })
                .collect();
            let all_same = found(&same);
            let tail: BTreeSet<char> = same.chars().skip(start.len()).collect();
            if tail.len() < 6 {
                assert!(!all_same.iter().any(|(w, _)| w == word), "{word}: {same}");
            }
        }
    }
}

#[test]
fn a_wrong_sum_is_no_token() {
    for start in ["ghp_", "ghu_", "ghr_", "npm_"] {
        let token = token(&[Is(start), Any(B62, 30), Sum], 5);
        assert_eq!(found(&token).len(), 1, "{token}");
        for at in [4, 20, 39] {
            let mut wrong: Vec<u8> = token.clone().into_bytes();
            wrong[at] = if wrong[at] == b'7' { b'8' } else { b'7' };
            check(&String::from_utf8(wrong).unwrap(), &[]);
        }
    }
    // The token that GitHub itself shows with its sum.
    let shown = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
    check(&shown, &[("github-token", &shown)]);
}

#[test]
fn an_aws_key_is_an_id_and_its_secret() {
    let id = token(&[Is("AKIA"), Any(BASE32, 16)], 3);
    let secret = format!("{}/+9Zq", some(B62, 35, 8));
    let both = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    check(
        &both,
        &[
            ("aws-access-key-id", &id),
            ("aws-secret-access-key", &secret),
        ],
    );
    for text in [
        format!("AWS_SECRET_ACCESS_KEY={secret}"),
        format!("\"SecretAccessKey\": \"{secret}\""),
        format!("secretAccessKey: '{secret}'"),
    ] {
        check(&text, &[("aws-secret-access-key", &secret)]);
    }
    for text in [
        format!("AWS_SECRET_ACCESS_KEY={secret}A"),
        format!("AWS_SECRET_ACCESS_KEY={}", &secret[1..]),
        format!("commit {secret}"),
        format!("aws_secret_access_key = {}", "A".repeat(40)),
        format!("aws_secret_access_key = {}EXAMPLEKEY", &secret[10..]),
        format!("AKIA{}EXAMPLE", &id[4..13]),
    ] {
        check(&text, &[]);
    }
}

#[test]
fn a_jwt_is_signed_and_says_how() {
    let jwt = |header: &str, sign: usize| {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            part(header),
            part("{\"sub\":\"1\",\"n\":2}"),
            some(URL, sign, 4)
        )
    };
    for header in [
        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        "{\"typ\":\"JWT\",\"alg\":\"RS256\"}",
    ] {
        let token = jwt(header, 43);
        check(&format!("Bearer {token}"), &[("jwt", &token)]);
    }
    for text in [
        jwt("{\"alg\":\"none\"}", 43),
        jwt("{\"typ\":\"JWT\"}", 43),
        jwt("{\"alg\":\"HS256\"}", 10),
        format!("x{}", jwt("{\"alg\":\"HS256\"}", 43)),
        format!(
            "eyJ{}.{}.{}",
            some(URL, 20, 1),
            some(URL, 20, 2),
            some(URL, 43, 3)
        ),
    ] {
        check(&text, &[]);
    }
}

#[test]
fn a_private_key_is_whole() {
    let of =
        |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
    let body = format!("{}\n{}", some(B64, 64, 1), some(B64, 40, 2));
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
    ] {
        let key = of(label, &body);
        check(&format!("x\n{key}\ny"), &[("private-key", &key)]);
        // As JSON and as a set-in block of YAML write it: the same value.
        let looker = Looker::new().unwrap();
        for text in [key.replace('\n', "\\n"), key.replace('\n', "\n    ")] {
            let met = looker.met(text.as_bytes());
            assert_eq!(met.len(), 1, "{text}");
            assert_eq!(met[0].value.as_ref().unwrap().bytes(), key.as_bytes());
        }
    }
    for text in [
        of("CERTIFICATE", &body),
        of("PUBLIC KEY", &body),
        of("PRIVATE KEY", "..."),
        of("PRIVATE KEY", &"A".repeat(64)),
        of("PRIVATE KEY", &format!("{body}\n<and more>")),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n"),
        "if line == \"-----BEGIN PRIVATE KEY-----\" {".to_owned(),
    ] {
        check(&text, &[]);
    }
}

#[test]
fn an_address_with_a_password_is_found() {
    for address in [
        "postgres://app:tr0ub4dor@db.corp/x",
        "redis://:carrier-pigeon@cache:6379/0",
        "https://ann:p%40ssword@git.corp/a.git?x=1",
        "amqps://u:horse.battery@mq",
    ] {
        for text in [
            address.to_owned(),
            format!("URL=\"{address}\""),
            format!("({address})."),
        ] {
            check(&text, &[("password-in-address", address)]);
        }
    }
    for text in [
        "https://git.corp/a.git",
        "https://ann@git.corp",
        "https://h/a:b@c",
        "https://u:password@h",
        "https://u:${PASSWORD}@h",
        "https://u:<secret>@h",
        "https://h:8080/x, mail: a@b",
        "://a:bcdef@c",
        "git@git.corp:a/b.git",
    ] {
        check(text, &[]);
    }
}
