//! How one source is read: the settings that belong to the engine and not to a connector.

use crate::mass::Threshold;
use chrono::TimeDelta;
use lastkey_contract::{ConnectorError, ErrorKind, SettingSpec, Settings};
use std::num::NonZeroU32;
use std::time::Duration;

/// The engine's own settings, which every source understands.
pub static OWN_SETTINGS: [SettingSpec; 9] = [
    SettingSpec {
        key: "fresh_for",
        label: "Fresh for",
        help: "how old a complete read may be before claims that rest on it are lowered: 90m, 24h, 7d (24h if not said)",
        required: false,
        default: "24h",
        choices: &[],
        only_with: &[],
    },
    SettingSpec {
        key: "full_every",
        label: "Full read at least every",
        help: "how long reads of changes alone may follow one full read: 12h, 7d; 0d reads everything each time (7d if not said)",
        required: false,
        default: "7d",
        choices: &[],
        only_with: &[],
    },
    SettingSpec {
        key: "hold_above",
        label: "Hold removals above (percent)",
        help: "a read that would remove more than this share of a kind removes nothing until somebody accepts it; 100 never holds (20 if not said)",
        required: false,
        default: "20",
        choices: &[],
        only_with: &[],
    },
    SettingSpec {
        key: "pace",
        label: "Pace",
        help: "at most so many requests in a time: 5/s, 300/m, 1000/h (no limit if not said)",
        required: false,
        default: "",
        choices: &[],
        only_with: &[],
    },
    SettingSpec {
        key: "page",
        label: "Objects on a page",
        help: "how many objects are asked for and stored at once, at most; with fewer, less is asked for again after a read was cut off (as many as the source's kind allows if not said)",
        required: false,
        default: "",
        choices: &[],
        only_with: &[],
    },
    SettingSpec {
        key: "check_first",
        label: "Check rights before each read",
        help: "whether each sync first asks who we are and which rights we have (true if not said)",
        required: false,
        default: "true",
        choices: &["true", "false"],
        only_with: &[],
    },
    SettingSpec {
        key: "supplement",
        label: "Supplement",
        help: "whether it may carry objects that another source speaks for; what that source leaves empty counts from here, and complete files of a supplement say nothing of what they do not have (false if not said)",
        required: false,
        default: "false",
        choices: &["true", "false"],
        only_with: &[],
    },
    SettingSpec {
        key: "source_of_truth",
        label: "Source of truth",
        help: "whether its identities say who exists: with false they tell of no joiner, mover or leaver (true if not said)",
        required: false,
        default: "true",
        choices: &["true", "false"],
        only_with: &[],
    },
    SettingSpec {
        key: "watch_leavers",
        label: "Watch leavers",
        help: "whether whoever it tells to leave, or gives a last day within a week, is watched until all access is closed (false if not said)",
        required: false,
        default: "false",
        choices: &["true", "false"],
        only_with: &[],
    },
];

/// At most so many requests in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time from the start of one request to the start of the next, at least.
    pub between: Duration,
}

/// Whether a sync asks for its rights first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckFirst {
    Yes,
    No,
}

/// The rules of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub fresh_for: TimeDelta,
    pub full_every: TimeDelta,
    /// The share of a kind, in percent, above which its removal is held; None never holds.
    pub hold_above: Option<u8>,
    pub pace: Option<Pace>,
    /// How many objects a page holds at most; None leaves it to the kind of source.
    pub page: Option<NonZeroU32>,
    pub check_first: CheckFirst,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            fresh_for: TimeDelta::hours(24),
            full_every: TimeDelta::days(7),
            hold_above: Some(Threshold::USUAL.percent),
            pace: None,
            page: None,
            check_first: CheckFirst::Yes,
        }
    }
}

impl Rules {
    /// Reads a source's settings; whatever cannot count is an error that says what to write.
    pub fn of(settings: &Settings) -> Result<Rules, ConnectorError> {
        let mut rules = Rules::default();
        if let Some(text) = settings.get("fresh_for") {
            rules.fresh_for = duration(text)
                .filter(|time| *time > TimeDelta::zero())
                .ok_or_else(|| refused("fresh_for", text, "write a time such as 90m, 24h or 7d"))?;
        }
        if let Some(text) = settings.get("full_every") {
            rules.full_every = duration(text)
                .ok_or_else(|| refused("full_every", text, "write a time such as 12h or 7d"))?;
        }
        if let Some(text) = settings.get("hold_above") {
            rules.hold_above = match text.trim_end_matches('%').parse::<u8>() {
                Ok(100) => None,
                Ok(percent) if percent < 100 => Some(percent),
                Ok(_) | Err(_) => {
                    return Err(refused("hold_above", text, "write a percentage, 0 to 100"));
                }
            };
        }
        if let Some(text) = settings.get("pace") {
            rules.pace = Some(pace(text).ok_or_else(|| {
                refused(
                    "pace",
                    text,
                    "write requests in a time, such as 5/s, 300/m or 1000/h",
                )
            })?);
        }
        if let Some(text) = settings.get("page") {
            let page = text
                .parse()
                .map_err(|_| refused("page", text, "write a number of objects, such as 500"))?;
            rules.page = Some(page);
        }
        if let Some(text) = settings.get("check_first") {
            rules.check_first = match yes_or_no(text) {
                Some(true) => CheckFirst::Yes,
                Some(false) => CheckFirst::No,
                None => return Err(refused("check_first", text, "write true or false")),
            };
        }
        for key in ["supplement", "source_of_truth", "watch_leavers"] {
            if let Some(text) = settings.get(key)
                && yes_or_no(text).is_none()
            {
                return Err(refused(key, text, "write true or false"));
            }
        }
        Ok(rules)
    }

    /// The rules of a source as it is kept: what an older version let through counts as not said.
    pub fn kept(settings: &Settings) -> Rules {
        Rules::of(settings).unwrap_or_default()
    }

    /// Whether the engine understands this key.
    pub fn owns(key: &str) -> bool {
        OWN_SETTINGS.iter().any(|setting| setting.key == key)
    }
}

fn refused(key: &str, value: &str, hint: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::ConfigInvalid,
        key,
        "configure",
        format!("`{value}` is not allowed for `{key}`"),
    )
    .hint(hint)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// `90m`, `24h`, `7d`; at most a century.
fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = number.parse().ok()?;
    TimeDelta::try_seconds(count.checked_mul(seconds)?)
        .filter(|time| *time <= TimeDelta::days(36_525))
}

/// `5/s`, `300/m`, `1000/h`.
fn pace(text: &str) -> Option<Pace> {
    let (count, unit) = text.split_once('/')?;
    let count: u32 = count.trim().parse().ok().filter(|count| *count > 0)?;
    let span = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    Some(Pace {
        between: Duration::from_secs(span) / count,
    })
}

/// `3 days`, `26 hours`, `12 minutes`: how old something is, for people.
pub fn age_words(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        172_800.. => (seconds / 86_400, "day"),
        i64::MIN..0 => (0, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(key: &str, value: &str) -> Result<Rules, String> {
        let mut settings = Settings::default();
        settings.0.insert(key.to_owned(), value.to_owned());
        Rules::of(&settings).map_err(|error| error.message)
    }

    #[test]
    fn each_setting_is_read_or_refused_with_a_sentence() {
        assert_eq!(rules("fresh_for", "").unwrap(), Rules::default());
        assert_eq!(
            rules("fresh_for", "90m").unwrap().fresh_for,
            TimeDelta::minutes(90)
        );
        assert_eq!(
            rules("full_every", "0d").unwrap().full_every,
            TimeDelta::zero()
        );
        assert_eq!(rules("hold_above", "100").unwrap().hold_above, None);
        let five = rules("pace", "5/s").unwrap().pace.unwrap();
        assert_eq!(five.between, Duration::from_millis(200));
        assert_eq!(
            rules("check_first", "no").unwrap().check_first,
            CheckFirst::No
        );
        assert_eq!(rules("page", "50").unwrap().page, NonZeroU32::new(50));
        for (key, value) in [
            ("fresh_for", "0h"),
            ("fresh_for", "tomorrow"),
            ("fresh_for", "h"),
            ("full_every", "-1d"),
            ("full_every", "99999999999999d"),
            ("hold_above", "101"),
            ("pace", "0/s"),
            ("pace", "5"),
            ("page", "0"),
            ("page", "many"),
            ("check_first", "maybe"),
            ("supplement", "2"),
            ("source_of_truth", "perhaps"),
        ] {
            assert_eq!(
                rules(key, value).unwrap_err(),
                format!("`{value}` is not allowed for `{key}`")
            );
        }
    }

    #[test]
    fn ages_are_told_in_words() {
        for (seconds, words) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(age_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
