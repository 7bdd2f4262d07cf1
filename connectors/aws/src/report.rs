//! The credential report: what IAM tells nowhere else, of the root user above all.

use crate::api::Api;
use crate::error::{Got, got, there};
use crate::lacks::Lacks;
use chrono::{DateTime, Utc};
use lastkey_contract::{ConnectorError, ErrorKind, When};
use std::collections::BTreeMap;

/// How the report calls the root user.
pub const ROOT: &str = "<root_account>";
/// How often it is asked to be made in one go; it is ready at the third time or takes a while.
const ASKED: usize = 3;
/// How long a report takes as a rule.
const WAIT_MS: u64 = 5_000;

/// One user of the report: what stands under which heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    fn text(&self, column: &str) -> Option<&str> {
        let none = ["", "N/A", "no_information", "not_supported"];
        self.0
            .get(column)
            .map(String::as_str)
            .filter(|text| !none.contains(text))
    }

    /// A yes or no.
    pub fn is(&self, column: &str) -> Option<bool> {
        match self.text(column)?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub fn when(&self, column: &str) -> Option<When> {
        let at = DateTime::parse_from_rfc3339(self.text(column)?).ok()?;
        Some(When::At(at.with_timezone(&Utc)))
    }

    pub fn said(&self, column: &str) -> Option<&str> {
        self.text(column)
    }
}

/// The report, by the ARNs of users; the root user under [`ROOT`].
pub type Report = BTreeMap<String, Row>;

/// Reads the report, and has it made where there is none or it is too old.
pub async fn read(api: &Api, lacks: &mut Lacks) -> Result<Option<Report>, ConnectorError> {
    let asks = "iam:GetCredentialReport";
    for turn in 0..=ASKED {
        match got(
            api.address(),
            asks,
            api.iam.get_credential_report().send().await,
        ) {
            Ok(Got::Found(told)) => {
                let content = there(api.address(), asks, told.content)?;
                let text = String::from_utf8_lossy(content.as_ref()).into_owned();
                let odd = || crate::error::SERVER.odd(api.address(), asks, "it is no report");
                return parsed(&text).ok_or_else(odd).map(Some);
            }
            Ok(Got::Refused(_)) => {
                lacks.refused(asks, "credential report");
                return Ok(None);
            }
            Ok(Got::Absent) if turn < ASKED => {}
            Ok(Got::Absent) => break,
            Err(error) if error.message.contains("ReportInProgress") => break,
            Err(error) => return Err(error),
        }
        let makes = "iam:GenerateCredentialReport";
        let sent = api.iam.generate_credential_report().send().await;
        match got(api.address(), makes, sent)? {
            Got::Found(_) => {}
            Got::Refused(_) | Got::Absent => {
                lacks.refused(makes, "credential report");
                return Ok(None);
            }
        }
    }
    let message = "AWS is still making the credential report";
    let mut error = ConnectorError::new(ErrorKind::Unavailable, api.address(), asks, message)
        .hint("sync again in a minute, or leave it out with leave_out=credential_report");
    error.retry_after_ms = Some(WAIT_MS);
    Err(error)
}

/// None where it is not a report.
fn parsed(text: &str) -> Option<Report> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().ok()?.clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name);
    let (user, arn) = (column("user")?, column("arn")?);
    let mut report = Report::new();
    for record in reader.records() {
        let record = record.ok()?;
        let who = match record.get(user)? {
            ROOT => ROOT,
            _ => record.get(arn)?,
        };
        let pairs = headings.iter().zip(&record);
        let row = pairs.map(|(heading, text)| (heading.to_owned(), text.to_owned()));
        report.insert(who.to_owned(), Row(row.collect()));
    }
    Some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_of_the_root_user() {
        let text = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active\n\
            <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-01-02T03:04:05+00:00,true,false\n\
            ann,arn:aws:iam::111122223333:user/ann,2020-01-01T00:00:00+00:00,TRUE,no_information,N/A,true\n";
        let report = parsed(text).unwrap();
        let root = &report[ROOT];
        assert_eq!(root.is("mfa_active"), Some(true));
        assert_eq!(root.is("password_enabled"), None);
        assert_eq!(
            root.when("password_last_used").unwrap().to_text(),
            "2026-01-02T03:04:05Z"
        );
        let ann = &report["arn:aws:iam::111122223333:user/ann"];
        assert_eq!(ann.is("password_enabled"), Some(true));
        assert_eq!(
            (ann.is("mfa_active"), ann.when("password_last_used")),
            (None, None)
        );
    }

    #[test]
    fn what_is_no_report_is_none() {
        for text in ["", "<html></html>", "a,b\n1,2\n", "user,arn\n\"x"] {
            assert!(
                parsed(text).is_none() || parsed(text).unwrap().len() <= 1,
                "{text}"
            );
        }
        assert!(parsed("a,b\n1,2\n").is_none());
    }
}
