//! How tokens look whose makers gave them a shape: one row for each, and what reads a row.
//!
//! A row is found by how it begins (all beginnings are looked for at once, see `look`), read to its
//! end by its parts, and believed if its check sum holds where the format has one. What documents
//! show as an example, or what repeats one letter, is none. Sources: the makers' own pages.

use crate::sums;

/// One sort of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Digit,
    /// Letters of both cases.
    Letter,
    HexSmall,
    Hex,
    /// Capitals and digits.
    Capital,
    /// Capitals and 2 to 7.
    Base32,
    /// Small letters and digits.
    Small,
    /// Letters and digits.
    Base62,
    /// Letters, digits, `-`.
    Dashed,
    /// Letters, digits, `-`, `_`.
    Base64Url,
    /// The same and `.`, which is not the last one.
    Dotted,
    /// Letters, digits, `+`, `/`.
    Base64,
}

impl Of {
    pub fn has(self, byte: u8) -> bool {
        match self {
            Of::Digit => byte.is_ascii_digit(),
            Of::Letter => byte.is_ascii_alphabetic(),
            Of::HexSmall => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Of::Hex => byte.is_ascii_hexdigit(),
            Of::Capital => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Of::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Of::Small => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Of::Base62 => byte.is_ascii_alphanumeric(),
            Of::Dashed => byte.is_ascii_alphanumeric() || byte == b'-',
            Of::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Of::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Of::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
        }
    }
}

/// A part of a token after its beginning.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// From so many to so many letters of a sort, and none more after them.
    Run(Of, usize, usize),
    /// These letters.
    Sign(&'static str),
}
use Part::{Run, Sign};

/// Whether a token proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    None,
    /// CRC32 of the letters before, in base 62, as the last six.
    Crc62,
}

/// One shape.
#[derive(Debug)]
pub struct Shape {
    /// The rule's name in facts.
    pub word: &'static str,
    pub starts: &'static [&'static str],
    pub parts: &'static [Part],
    pub sum: Sum,
}

const fn row(word: &'static str, starts: &'static [&'static str], parts: &'static [Part]) -> Shape {
    Shape {
        word,
        starts,
        parts,
        sum: Sum::None,
    }
}

const fn summed(
    word: &'static str,
    starts: &'static [&'static str],
    parts: &'static [Part],
) -> Shape {
    Shape {
        word,
        starts,
        parts,
        sum: Sum::Crc62,
    }
}

/// Every shape, by its maker.
#[rustfmt::skip]
pub const SHAPES: &[Shape] = &[
    row("age-secret-key", &["AGE-SECRET-KEY-1"], &[Run(Of::Capital, 58, 58)]),
    row("jfrog-api-key", &["AKCp"], &[Run(Of::Base62, 69, 69)]),
    row("atlassian-api-token", &["ATATT3"], &[Run(Of::Base64Url, 150, 230), Sign("="), Run(Of::Hex, 8, 8)]),
    row("aws-access-key-id", &["AKIA", "ASIA", "ABIA", "ACCA"], &[Run(Of::Base32, 16, 16)]),
    row("azure-storage-key", &["AccountKey="], &[Run(Of::Base64, 86, 86), Sign("==")]),
    row("crates-io-token", &["cio"], &[Run(Of::Base62, 32, 32)]),
    row("databricks-token", &["dapi"], &[Run(Of::HexSmall, 32, 32)]),
    row("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], &[Run(Of::HexSmall, 64, 64)]),
    row("discord-webhook", &["discord.com/api/webhooks/"], &[Run(Of::Digit, 17, 20), Sign("/"), Run(Of::Base64Url, 60, 80)]),
    row("docker-token", &["dckr_pat_", "dckr_oat_"], &[Run(Of::Base64Url, 27, 40)]),
    row("doppler-token", &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."], &[Run(Of::Base62, 43, 43)]),
    row("dynatrace-token", &["dt0c01."], &[Run(Of::Capital, 24, 24), Sign("."), Run(Of::Capital, 64, 64)]),
    summed("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[Run(Of::Base62, 36, 36)]),
    row("github-fine-grained-token", &["github_pat_"], &[Run(Of::Base62, 22, 22), Sign("_"), Run(Of::Base62, 59, 59)]),
    row("gitlab-token", &["glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glsoat-", "glcbt-", "glagent-", "gloas-"], &[Run(Of::Dotted, 20, 320)]),
    row("google-api-key", &["AIza"], &[Run(Of::Base64Url, 35, 35)]),
    row("google-client-secret", &["GOCSPX-"], &[Run(Of::Base64Url, 28, 28)]),
    row("google-access-token", &["ya29."], &[Run(Of::Base64Url, 60, 2000)]),
    row("grafana-token", &["glsa_"], &[Run(Of::Base62, 32, 32), Sign("_"), Run(Of::Hex, 8, 8)]),
    row("heroku-api-key", &["HRKU-AA"], &[Run(Of::Base64Url, 58, 58)]),
    row("huggingface-token", &["hf_"], &[Run(Of::Letter, 34, 34)]),
    row("linear-api-key", &["lin_api_"], &[Run(Of::Base62, 40, 40)]),
    row("netlify-token", &["nfp_"], &[Run(Of::Base62, 36, 36)]),
    row("new-relic-key", &["NRAK-"], &[Run(Of::Capital, 27, 27)]),
    summed("npm-token", &["npm_"], &[Run(Of::Base62, 36, 36)]),
    row("nuget-api-key", &["oy2"], &[Run(Of::Small, 43, 43)]),
    row("onepassword-token", &["ops_eyJ"], &[Run(Of::Base64Url, 200, 2000)]),
    row("openai-api-key", &["sk-proj-", "sk-svcacct-", "sk-admin-"], &[Run(Of::Base64Url, 40, 220)]),
    row("planetscale-token", &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], &[Run(Of::Base64Url, 32, 64)]),
    row("postman-api-key", &["PMAK-"], &[Run(Of::HexSmall, 24, 24), Sign("-"), Run(Of::HexSmall, 34, 34)]),
    row("pulumi-token", &["pul-"], &[Run(Of::HexSmall, 40, 40)]),
    row("pypi-token", &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"], &[Run(Of::Base64Url, 50, 1000)]),
    row("rubygems-api-key", &["rubygems_"], &[Run(Of::HexSmall, 48, 48)]),
    row("sendgrid-api-key", &["SG."], &[Run(Of::Base64Url, 22, 22), Sign("."), Run(Of::Base64Url, 43, 43)]),
    row("sentry-token", &["sntryu_"], &[Run(Of::HexSmall, 64, 64)]),
    row("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], &[Run(Of::Hex, 32, 32)]),
    row("slack-token", &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"], &[Run(Of::Digit, 8, 14), Sign("-"), Run(Of::Dashed, 20, 120)]),
    row("slack-app-token", &["xapp-"], &[Run(Of::Digit, 1, 1), Sign("-"), Run(Of::Capital, 8, 14), Sign("-"), Run(Of::Digit, 9, 14), Sign("-"), Run(Of::HexSmall, 64, 64)]),
    row("slack-webhook", &["hooks.slack.com/services/"], &[Run(Of::Capital, 8, 12), Sign("/"), Run(Of::Capital, 8, 12), Sign("/"), Run(Of::Base62, 24, 24)]),
    row("square-secret", &["sq0csp-"], &[Run(Of::Base64Url, 43, 43)]),
    row("stripe-key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], &[Run(Of::Base62, 20, 250)]),
    row("stripe-webhook-secret", &["whsec_"], &[Run(Of::Base64, 32, 80)]),
    row("supabase-token", &["sbp_"], &[Run(Of::HexSmall, 40, 40)]),
    row("tailscale-key", &["tskey-auth-", "tskey-api-", "tskey-client-"], &[Run(Of::Dashed, 30, 80)]),
    row("vault-token", &["hvs.", "hvb.", "hvr."], &[Run(Of::Base64Url, 24, 300)]),
];

/// Where a shape whose beginning ends at `after` ends, if it stands there in full. `from` is where
/// its beginning stands.
pub fn end(shape: &Shape, text: &[u8], from: usize, after: usize) -> Option<usize> {
    if !free(text, from) {
        return None;
    }
    let mut at = after;
    for part in shape.parts {
        let rest = text.get(at..)?;
        at += match part {
            Sign(sign) => rest.starts_with(sign.as_bytes()).then_some(sign.len())?,
            Run(of, least, most) => {
                let long = rest
                    .iter()
                    .take(most + 1)
                    .take_while(|b| of.has(**b))
                    .count();
                // A full stop after a token ends a sentence.
                let dots = rest.get(..long)?.iter().rev();
                let long = match of {
                    Of::Dotted => long - dots.take_while(|b| **b == b'.').count(),
                    _ => long,
                };
                (*least..=*most).contains(&long).then_some(long)?
            }
        };
    }
    let body = text.get(after..at)?;
    let proven = match shape.sum {
        Sum::None => varied(body),
        Sum::Crc62 => sums::crc62(body),
    };
    (proven && !shown_as_example(body)).then_some(at)
}

/// Whether no letter or digit stands before it; the `n` of a written `\n` is none.
pub fn free(text: &[u8], from: usize) -> bool {
    let before = |n: usize| from.checked_sub(n).and_then(|at| text.get(at));
    match before(1) {
        None => true,
        Some(b'n' | b't' | b'r') => before(2) == Some(&b'\\'),
        Some(byte) => !byte.is_ascii_alphanumeric() && *byte != b'_',
    }
}

/// Whether it is more than one letter repeated, or a count.
pub fn varied(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in body {
        if let Some(one) = seen.get_mut(usize::from(*byte)) {
            *one = true;
        }
    }
    seen.iter().filter(|one| **one).count() >= 6.min(body.len())
}

/// Whether it says itself that it is none, as in the makers' own documents.
pub fn shown_as_example(body: &[u8]) -> bool {
    [
        "EXAMPLE",
        "example",
        "XXXXXX",
        "xxxxxx",
        "000000000",
        "123456789",
        "abcdefgh",
        "ABCDEFGH",
    ]
    .iter()
    .any(|word| memchr::memmem::find(body, word.as_bytes()).is_some())
}
