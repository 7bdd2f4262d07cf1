//! Trying a name and a password: one simple bind, over the TLS that the source is read with.
//!
//! A bind without a password is never sent: directories take it for an anonymous one and say
//! success. For the same reason a success is asked back about, where the directory can tell who it
//! took us for. What an answer means is in [`judge`]; whatever has two meanings is indeterminate.

use crate::connection::{Connection, Told};
use crate::entry::{constructed, parse, primitive};
use crate::error::config;
use crate::settings::Directory;
use async_trait::async_trait;
use lastkey_contract::{Answer, ConnectorError, ProbeSpec, Prober, Secret, Settings, Tried, said};
use ldap3::LdapResult;
use ldap3::controls::RawControl;
use std::time::Duration;
use tokio::time::timeout;

/// How credentials of a directory can be tried.
pub const PROBES: &[ProbeSpec] = &[BIND];

const BIND: ProbeSpec = ProbeSpec {
    how: "ldap_bind",
    title: "LDAP bind",
    account: "distinguished name of the account",
    secret: "password",
    several_lines: false,
    can_lock: true,
    leaves: "A sign-in in the directory's log and, where it keeps one, a new time of last sign-in.",
};

/// How long a try may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Asks what the password policy has to say (draft-behera-ldap-password-policy).
const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// A prober for the directory that the settings name; the login that reads is left out of it.
pub fn prober(how: &str, settings: &Settings) -> Result<Box<dyn Prober>, ConnectorError> {
    if how != BIND.how {
        return Err(config(
            format!("`{how}` is not a way to try a credential of a directory"),
            format!("give {}", BIND.how),
        ));
    }
    // Whether its own password is there is of no matter here.
    let mut directory = Directory::from_settings(settings, true)?;
    directory.bind_dn = None;
    directory.timeout = directory.timeout.min(PATIENCE);
    Ok(Box::new(Bind { directory }))
}

struct Bind {
    directory: Directory,
}

#[async_trait]
impl Prober for Bind {
    fn spec(&self) -> &'static ProbeSpec {
        &BIND
    }

    fn unsendable(&self, account: &str) -> Option<&'static str> {
        no_name(account)
    }

    async fn try_once(&self, account: &str, secret: &Secret) -> Tried {
        if let Some(why) = unsendable(account, secret) {
            return Tried::indeterminate("not sent", why);
        }
        match timeout(PATIENCE, self.bind(account.trim(), secret)).await {
            Ok(Ok(tried)) => tried,
            Ok(Err(error)) => Tried::fault(&error, secret),
            Err(_) => {
                Tried::indeterminate("no answer in time", "the directory did not answer in time")
            }
        }
    }
}

/// Why a bind with that name is not sent, where it is not.
fn no_name(account: &str) -> Option<&'static str> {
    if account.trim().is_empty() {
        return Some("no account is named, and a directory takes that for an anonymous sign-in");
    }
    // Some directories say of what is no name what they say of a wrong password.
    let is_name = account.contains('=');
    (!is_name)
        .then_some("the account is not a distinguished name, such as uid=ann,ou=people,dc=example")
}

/// Why a bind with these is not sent, where it is not.
fn unsendable(account: &str, secret: &Secret) -> Option<&'static str> {
    let empty = "the password is empty, and a directory takes that for an anonymous sign-in";
    no_name(account).or_else(|| secret.expose().is_empty().then_some(empty))
}

impl Bind {
    async fn bind(&self, account: &str, secret: &Secret) -> Result<Tried, ConnectorError> {
        const OPERATION: &str = "try a sign-in";
        let mut connection = Connection::reach(&self.directory).await?;
        let link = &mut connection.link;
        let asked = RawControl {
            ctype: POLICY.to_owned(),
            crit: false,
            val: None,
        };
        link.ldap.with_controls(vec![asked]);
        let bound = link
            .ldap
            .simple_bind(account, secret.expose())
            .await
            .map_err(|e| link.failed(OPERATION, &e))?;
        let tried = judge(&bound, secret);
        if tried.answer != Answer::Accepted {
            return Ok(tried);
        }
        let told = connection.told().await;
        connection.sign_out().await;
        Ok(match told? {
            Told::Anonymous => Tried::indeterminate(
                tried.raw,
                "the directory said success and then takes us for nobody, so the password was not looked at",
            ),
            Told::Nothing | Told::Name(_) => tried,
        })
    }
}

/// What the password policy says beside a result.
fn policy(result: &LdapResult) -> Option<&'static str> {
    let control = result.ctrls.iter().find(|c| c.1.ctype == POLICY)?;
    let parts = constructed(parse(control.1.val.as_deref()?)?)?;
    // [1] is the error; [0] would be a warning
    let error = parts.into_iter().find(|part| part.id == 1)?;
    match primitive(error)?.as_slice() {
        [0] => Some("passwordExpired"),
        [1] => Some("accountLocked"),
        [2] => Some("changeAfterReset"),
        _ => Some("another error of the password policy"),
    }
}

/// What the result of a bind says of the credential.
fn judge(result: &LdapResult, secret: &Secret) -> Tried {
    let code = match result.rc {
        0 => "0 success".to_owned(),
        rc => format!("{rc} {}", name(rc)),
    };
    let code = code.trim_end();
    let told = policy(result);
    let words = said(&result.text, secret);
    let raw = match (told, words.is_empty()) {
        (Some(policy), _) => format!("{code}, {policy}"),
        (None, true) => code.to_owned(),
        (None, false) => format!("{code}: {words}"),
    };
    match (result.rc, told) {
        (0, None) => Tried::accepted(raw),
        (0, Some("changeAfterReset")) => Tried::accepted(raw)
            .because("the password is taken, and must be changed before anything else"),
        (0, Some(_)) => Tried::accepted(raw),
        (49, Some("accountLocked")) => Tried::indeterminate(raw, LOCKED),
        (49, Some("passwordExpired")) => Tried::indeterminate(raw, EXPIRED),
        (49, Some("changeAfterReset")) => Tried::indeterminate(raw, MUST_CHANGE),
        (49, Some(_)) => Tried::indeterminate(
            raw,
            "the directory's password policy refuses the sign-in for a reason of its own",
        ),
        (49, None) => match sub_code(&result.text) {
            SubCode::None => Tried::rejected(raw).because(
                "a directory that hides locks gives a locked account the same answer as a wrong password",
            ),
            SubCode::Odd => Tried::indeterminate(raw, UNKNOWN_REASON),
            SubCode::Of(code) => active_directory(code),
        },
        // 389 Directory Server, to an account that an administrator switched off.
        (53, _) if result.text.starts_with("Account inactivated") => {
            Tried::rejected(raw).because("the account is switched off")
        }
        (rc, _) => Tried::indeterminate(raw, doubt(rc)),
    }
}

const LOCKED: &str = "the account is locked, which may pass by itself";
const EXPIRED: &str =
    "the password has expired: it may still be changed, and some services take it";
const MUST_CHANGE: &str = "the password must be changed first, which may still be done";
const UNKNOWN_REASON: &str =
    "the directory refuses the sign-in for a reason that is not known here";

/// The reason that Active Directory and Samba give beside error 49.
enum SubCode {
    None,
    /// There is one, and it is not a number.
    Odd,
    Of(u32),
}

/// `…comment: AcceptSecurityContext error, data 52e, v4563`
fn sub_code(text: &str) -> SubCode {
    let Some((_, after)) = text.split_once("AcceptSecurityContext error, data ") else {
        // Its texts begin so; one without a reason was cut, or is of a sort that is not known.
        return match text.contains("LdapErr:") || text.contains("AcceptSecurityContext") {
            true => SubCode::Odd,
            false => SubCode::None,
        };
    };
    let digits = after.split(|c: char| !c.is_ascii_hexdigit()).next();
    match u32::from_str_radix(digits.unwrap_or_default(), 16) {
        Ok(code) => SubCode::Of(code),
        Err(_) => SubCode::Odd,
    }
}

fn active_directory(code: u32) -> Tried {
    let raw = format!("49 invalidCredentials, data {code:x}");
    match code {
        0x525 => Tried::rejected(raw).because("there is no such account"),
        0x52e => Tried::rejected(raw).because("the name or the password is wrong"),
        0x533 => Tried::rejected(raw).because("the account is switched off"),
        0x701 => Tried::rejected(raw).because("the account has expired"),
        0x530 => Tried::indeterminate(raw, "the account may not sign in at this time of day"),
        0x531 => Tried::indeterminate(raw, "the account may not sign in from this machine"),
        0x532 => Tried::indeterminate(raw, EXPIRED),
        0x569 => Tried::indeterminate(raw, "the account may not sign in in this way"),
        0x773 => Tried::indeterminate(raw, MUST_CHANGE),
        0x775 => Tried::indeterminate(raw, LOCKED),
        _ => Tried::indeterminate(raw, UNKNOWN_REASON),
    }
}

/// The name that RFC 4511 gives a result.
fn name(code: u32) -> &'static str {
    match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "",
    }
}

/// Why a result says nothing certain about the credential.
fn doubt(code: u32) -> &'static str {
    match code {
        7 | 8 | 13 | 14 => "the directory does not take this way of signing in from anybody",
        10 => "the directory sends to another server, and a password never follows",
        19 => "the account is locked for now, or a limit was reached",
        32 => "the directory has no such entry here; another server may hold it",
        34 => "the account is not a name that the directory understands",
        48 => "the account has no password here, or may not sign in with one",
        50 => "the directory lets nobody sign in in this place, or not this account",
        51 | 52 => "the directory is busy or not available",
        53 => "the directory is not willing to look at the sign-in",
        _ => "the directory ended the sign-in with an error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::controls::Control;

    const PASSWORD: &str = "Tr0ub4dor&3";

    fn result(rc: u32, text: &str, policy: Option<&[u8]>) -> LdapResult {
        let control = policy.map(|value| {
            Control(
                None,
                RawControl {
                    ctype: POLICY.to_owned(),
                    crit: false,
                    val: Some(value.to_vec()),
                },
            )
        });
        LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: Vec::new(),
            ctrls: control.into_iter().collect(),
        }
    }

    #[track_caller]
    fn check(rc: u32, text: &str, policy: Option<&[u8]>, answer: Answer, raw: &str) {
        let tried = judge(&result(rc, text, policy), &Secret::new(PASSWORD.to_owned()));
        assert_eq!(
            (tried.answer, tried.raw.as_str()),
            (answer, raw),
            "{tried:?}"
        );
        assert!(tried.answer != Answer::Indeterminate || tried.why.is_some());
    }

    #[test]
    fn only_plain_words_reject() {
        use Answer::{Accepted, Indeterminate, Rejected};
        check(0, "", None, Accepted, "0 success");
        check(49, "", None, Rejected, "49 invalidCredentials");
        check(
            49,
            "Invalid credentials",
            None,
            Rejected,
            "49 invalidCredentials: Invalid credentials",
        );
        check(
            53,
            "Account inactivated. Contact system administrator.",
            None,
            Rejected,
            "53 unwillingToPerform: Account inactivated. Contact system administrator.",
        );
        for (rc, raw) in [
            (1, "1 operationsError"),
            (8, "8 strongerAuthRequired"),
            (10, "10 referral"),
            (19, "19 constraintViolation"),
            (32, "32 noSuchObject"),
            (34, "34 invalidDNSyntax"),
            (48, "48 inappropriateAuthentication"),
            (51, "51 busy"),
            (52, "52 unavailable"),
            (53, "53 unwillingToPerform"),
            (80, "80 other"),
            (4711, "4711"),
        ] {
            check(rc, "", None, Indeterminate, raw);
        }
    }

    #[test]
    fn the_password_policy_is_heard() {
        use Answer::{Accepted, Indeterminate};
        let error = |code: u8| vec![0x30, 3, 0x81, 1, code];
        check(
            49,
            "",
            Some(&error(1)),
            Indeterminate,
            "49 invalidCredentials, accountLocked",
        );
        check(
            49,
            "",
            Some(&error(0)),
            Indeterminate,
            "49 invalidCredentials, passwordExpired",
        );
        check(
            0,
            "",
            Some(&error(2)),
            Accepted,
            "0 success, changeAfterReset",
        );
        // A warning alone: days left until the password expires.
        let warning = [0x30, 5, 0xa0, 3, 0x80, 1, 60];
        check(0, "", Some(&warning), Accepted, "0 success");
        check(
            49,
            "",
            Some(&[0x30, 0]),
            Answer::Rejected,
            "49 invalidCredentials",
        );
        check(
            49,
            "",
            Some(&error(6)),
            Indeterminate,
            "49 invalidCredentials, another error of the password policy",
        );
    }

    #[test]
    fn reasons_of_active_directory_are_told_apart() {
        use Answer::{Indeterminate, Rejected};
        for (code, answer) in [
            ("525", Rejected),
            ("52e", Rejected),
            ("530", Indeterminate),
            ("531", Indeterminate),
            ("532", Indeterminate),
            ("533", Rejected),
            ("569", Indeterminate),
            ("701", Rejected),
            ("773", Indeterminate),
            ("775", Indeterminate),
            ("57", Indeterminate),
        ] {
            let text = format!(
                "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563\0"
            );
            let raw = format!("49 invalidCredentials, data {code}");
            check(49, &text, None, answer, &raw);
        }
        for cut in [
            "80090308: LdapErr: DSID-0C0904",
            "AcceptSecurityContext error, data ",
        ] {
            let tried = judge(&result(49, cut, None), &Secret::new(PASSWORD.to_owned()));
            assert_eq!(tried.answer, Indeterminate, "{tried:?}");
        }
    }

    #[test]
    fn nothing_of_the_password_is_kept() {
        let text = format!("`{PASSWORD}` is not the password");
        let tried = judge(&result(49, &text, None), &Secret::new(PASSWORD.to_owned()));
        assert!(!format!("{tried:?}").contains("Tr0u"), "{tried:?}");
    }

    #[test]
    fn a_bind_without_name_or_password_is_not_sent() {
        let secret = |text: &str| Secret::new(text.to_owned());
        assert!(unsendable("cn=a", &secret("")).is_some());
        assert!(unsendable(" ", &secret("x")).is_some());
        assert!(unsendable("ann@example.org", &secret("x")).is_some());
        assert!(unsendable("cn=a", &secret(" ")).is_none());
    }

    #[test]
    fn only_known_ways_are_taken() {
        let pairs = [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
            ("bind_dn", "cn=reader"),
        ];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = Settings(pairs.into());
        assert_eq!(prober("ldap_bind", &settings).unwrap().spec(), &BIND);
        assert!(prober("ldap", &settings).is_err());
        let mut clear = settings;
        clear.0.insert("url".to_owned(), "ldap://h".to_owned());
        assert!(prober("ldap_bind", &clear).is_err(), "never in clear");
    }
}
