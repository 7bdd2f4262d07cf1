//! How answers of AWS become the contract's one error type.

use crate::wire::Answered;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_http::{Server, refusal};
use std::error::Error;

/// AWS in our words.
pub static SERVER: Server = Server {
    kind: "aws",
    name: "AWS",
    tls_name: "AWS endpoint",
    sort: "an AWS endpoint",
    whose: "AWS's",
    own: "AWS's own",
    secret: "signed requests",
    ca: "the endpoint's",
    write: "write https://host, or leave it empty for AWS itself",
    port: "check the endpoint and its port",
    log: "look at the AWS Health Dashboard",
};

/// What came of a request, where not having it is an answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got<T> {
    Found(T),
    /// We may not; AWS's own words.
    Refused(String),
    /// There is no such thing.
    Absent,
}

impl<T> Got<T> {
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Got<U> {
        match self {
            Got::Found(found) => Got::Found(make(found)),
            Got::Refused(why) => Got::Refused(why),
            Got::Absent => Got::Absent,
        }
    }
}

const REFUSED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "AuthorizationError",
    "NotAuthorized",
    "UnauthorizedOperation",
    "ForbiddenException",
];
const ABSENT: &[&str] = &[
    "AWSOrganizationsNotInUseException",
    "NoSuchEntity",
    "NotFoundException",
    "ParameterNotFound",
    "PolicyNotFoundException",
    "ReportExpired",
    "ReportNotPresent",
    "ResourceNotFoundException",
];
const THROTTLED: &[&str] = &[
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// What a call gave. `operation` is the action that it needs: `iam:ListUsers`.
pub fn got<T, E>(
    system: &str,
    operation: &str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Got<T>, ConnectorError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = match sent {
        Ok(found) => return Ok(Got::Found(found)),
        Err(error) => error,
    };
    // An error of our own went through the SDK: of the connection, or of signing in.
    if let Some(own) = own(&error) {
        return Err(own.clone());
    }
    let Some(answered) = error
        .raw_response()
        .and_then(|raw| raw.extension::<Answered>())
    else {
        let kind = ErrorKind::Bug;
        let message = "the request could not be made";
        return Err(ConnectorError::new(kind, system, operation, message)
            .hint("check the regions and the endpoint of the source"));
    };
    let code = error
        .as_service_error()
        .and_then(|e| e.code())
        .unwrap_or_default();
    let said = error
        .as_service_error()
        .and_then(|e| e.message())
        .unwrap_or_default();
    // Refusals also come in shapes that the service does not describe.
    let body = error.raw_response().and_then(|raw| raw.body().bytes());
    let outer = body.and_then(code_in_xml);
    let code = match code {
        "" => outer.as_deref().unwrap_or_default(),
        code => code,
    };
    judged(system, operation, answered, code, said)
}

/// The code of a refusal in XML, wherever it stands in it.
pub fn code_in_xml(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

/// What a refusal says: that we may not, that there is no such thing, or an error.
pub fn judged<T>(
    system: &str,
    operation: &str,
    answered: &Answered,
    code: &str,
    said: &str,
) -> Result<Got<T>, ConnectorError> {
    // Some services name the code with its namespace, some add where it is defined.
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    if REFUSED.contains(&code) {
        return Ok(Got::Refused(line(said)));
    }
    if ABSENT.contains(&code) {
        return Ok(Got::Absent);
    }
    Err(refused(system, operation, answered, code, said))
}

/// The error of ours in another's chain of causes.
pub fn own<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e ConnectorError> {
    let mut at: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = at {
        if let Some(own) = error.downcast_ref::<ConnectorError>() {
            return Some(own);
        }
        at = error.source();
    }
    None
}

fn refused(
    system: &str,
    operation: &str,
    answered: &Answered,
    code: &str,
    said: &str,
) -> ConnectorError {
    let skewed = said.contains("Signature expired") || said.contains("not yet current");
    let why = match (code, answered.status) {
        ("RequestTimeTooSkewed" | "RequestInTheFuture", _) => SKEWED,
        ("SignatureDoesNotMatch" | "InvalidSignatureException", _) if skewed => SKEWED,
        (
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired",
            _,
        ) => (
            ErrorKind::AuthRejected,
            "the temporary credentials have ended",
            "sign in again (`aws sso login` where the profile uses SSO), then sync again; if they should be valid, check this machine's clock",
        ),
        ("UnauthorizedException", _) => (
            ErrorKind::AuthRejected,
            "the sign-in of `aws sso login` has ended",
            "run `aws sso login` for the profile, then sync again",
        ),
        ("SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature", _) => (
            ErrorKind::AuthRejected,
            "AWS does not take the secret access key",
            "check that the secret access key belongs to the access key id, and give it on one line",
        ),
        (
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "AuthFailure",
            _,
        ) => (
            ErrorKind::AuthRejected,
            "AWS does not know the access key, or it is inactive",
            "check the access key id and its status in IAM; a region that is not enabled for the account refuses every key too",
        ),
        (code, status) if THROTTLED.contains(&code) || status == 429 => (
            ErrorKind::RateLimited,
            "AWS asks to slow down",
            "wait, then sync again",
        ),
        (_, 504) => (ErrorKind::TimedOut, "AWS gave up waiting", "sync again"),
        (_, 500..) => (
            ErrorKind::Unavailable,
            "AWS is not available",
            "wait, then sync again; look at the AWS Health Dashboard",
        ),
        (_, 300..=399) => (
            ErrorKind::Protocol,
            "the endpoint sends elsewhere, and a signed request never follows",
            "give the address of AWS itself, or leave the endpoint empty",
        ),
        ("OptInRequired" | "SubscriptionRequiredException", _) => (
            ErrorKind::Forbidden,
            "this account is not signed up for the service or the region",
            "leave the region or the part out in the settings",
        ),
        (_, 200..=299) => (
            ErrorKind::Protocol,
            "the answer is not what this request is answered with",
            "check that nothing stands between this machine and AWS",
        ),
        ("", 401 | 403) => (
            ErrorKind::Protocol,
            "something before AWS does not let the request through",
            "give an endpoint that leads to AWS itself",
        ),
        (_, _) => (
            ErrorKind::Protocol,
            "AWS did not understand the request",
            "check the settings of the source, its regions above all",
        ),
    };
    let kind = why.0;
    let said = match code {
        "" => None,
        code => Some(format!("{code}: {}", line(said))),
    };
    let mut error = refusal(system, operation, answered.status, said.as_deref(), why);
    error.request_id = answered.request_id.clone();
    error.retry_after_ms = answered
        .retry_after_ms
        .filter(|_| matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable));
    error
}

const SKEWED: (ErrorKind, &str, &str) = (
    ErrorKind::AuthRejected,
    "this machine's clock and AWS's differ by more than signatures allow",
    "set this machine's clock (a few minutes are too much), then sync again",
);

/// A server's words on one short line. Keys and tokens that they quote are hidden.
fn line(words: &str) -> String {
    let hidden = words.split_whitespace().map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let long = bare.len() >= 40 && !bare.contains([':', '/', '.']);
        if long { "(hidden)" } else { word }
    });
    let line = hidden.collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

/// All of a list, page after page; a place that comes twice ends it.
pub async fn all<T, F, Sent>(
    system: &str,
    operation: &str,
    mut ask: F,
) -> Result<Got<Vec<T>>, ConnectorError>
where
    F: FnMut(Option<String>) -> Sent,
    Sent: Future<Output = Result<Got<(Vec<T>, Option<String>)>, ConnectorError>>,
{
    let mut items = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut next = None;
    loop {
        match ask(next.clone()).await? {
            Got::Refused(why) => return Ok(Got::Refused(why)),
            Got::Absent => return Ok(Got::Absent),
            Got::Found((page, token)) => {
                items.extend(page);
                let Some(token) = token else {
                    return Ok(Got::Found(items));
                };
                if token.is_empty() || !seen.insert(token.clone()) {
                    let what =
                        "it has more to give and names a place that it named before, or none";
                    return Err(SERVER.odd(system, operation, what));
                }
                next = Some(token);
            }
        }
    }
}

/// The place of the next page, as IAM tells it; empty where it says that there is one and not where.
pub fn marker(truncated: bool, marker: Option<String>) -> Option<String> {
    truncated.then(|| marker.unwrap_or_default())
}

/// A list that must stand in an answer: without it, it is not the answer.
pub fn there<T>(system: &str, operation: &str, found: Option<T>) -> Result<T, ConnectorError> {
    found.ok_or_else(|| SERVER.odd(system, operation, "it lacks what was asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, code: &str, said: &str, kind: ErrorKind, says: &str) {
        let answered = Answered {
            status,
            request_id: Some("r-1".to_owned()),
            retry_after_ms: Some(7_000),
        };
        let error = refused("aws", "iam:ListUsers", &answered, code, said);
        assert_eq!(error.kind, kind, "{status} {code}: {error}");
        assert!(error.message.contains(says), "{error}");
        assert!(error.hint.is_some());
        assert_eq!(error.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        use ErrorKind::{AuthRejected, Forbidden, Protocol, RateLimited, TimedOut, Unavailable};
        check(403, "InvalidClientTokenId", "x", AuthRejected, "inactive");
        check(
            403,
            "SignatureDoesNotMatch",
            "x",
            AuthRejected,
            "secret access key",
        );
        check(
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 2026",
            AuthRejected,
            "clock",
        );
        check(403, "RequestTimeTooSkewed", "", AuthRejected, "clock");
        check(400, "ExpiredTokenException", "", AuthRejected, "ended");
        check(
            400,
            "ThrottlingException",
            "Rate exceeded",
            RateLimited,
            "slow down",
        );
        check(503, "Throttling", "", RateLimited, "slow down");
        check(429, "", "", RateLimited, "slow down");
        check(503, "", "", Unavailable, "not available");
        check(504, "", "", TimedOut, "gave up");
        check(302, "", "", Protocol, "elsewhere");
        check(403, "", "", Protocol, "before AWS");
        check(403, "OptInRequired", "", Forbidden, "not signed up");
        check(400, "ValidationError", "", Protocol, "did not understand");
        check(200, "", "", Protocol, "not what this request");
    }

    #[test]
    fn a_code_is_found_wherever_it_stands() {
        let text =
            b"<Response><Errors><Error><Code>AccessDenied</Code></Error></Errors></Response>";
        assert_eq!(code_in_xml(text).as_deref(), Some("AccessDenied"));
        assert_eq!(code_in_xml(b"<html></html>"), None);
    }

    #[test]
    fn waits_are_told_where_waiting_helps() {
        let answered = Answered {
            status: 429,
            request_id: None,
            retry_after_ms: Some(7_000),
        };
        assert_eq!(
            refused("s", "o", &answered, "", "").retry_after_ms,
            Some(7_000)
        );
        assert_eq!(
            refused("s", "o", &answered, "ExpiredToken", "").retry_after_ms,
            None
        );
    }

    #[test]
    fn what_may_be_a_key_is_not_said_back() {
        let said =
            line("provided 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYwJalr' by arn:aws:iam::1:user/x");
        assert_eq!(said, "provided (hidden) by arn:aws:iam::1:user/x");
    }
}
