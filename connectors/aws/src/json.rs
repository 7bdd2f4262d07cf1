//! Services that speak JSON: signed by the SDK's own signer, asked in the shape that AWS documents.
//!
//! Their generated clients would be 760,000 lines to build for twenty questions
//! (docs/decisions/aws-sdk.md); what they would do for these questions is here.

use crate::error::{Got, SERVER, judged};
use crate::settings::Cloud;
use crate::signin::Maker;
use crate::wire::{Answered, Wire};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use lastkey_contract::{ConnectorError, ErrorKind, When};
use lastkey_http::Answer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// A service, as it is signed for and asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    IdentityStore,
    Keys,
    Organizations,
    Parameters,
    Secrets,
    /// Identity Center's own.
    Center,
}

impl Service {
    /// The name in signatures, hosts and actions.
    pub fn name(self) -> &'static str {
        match self {
            Service::IdentityStore => "identitystore",
            Service::Keys => "kms",
            Service::Organizations => "organizations",
            Service::Parameters => "ssm",
            Service::Secrets => "secretsmanager",
            Service::Center => "sso",
        }
    }

    /// What stands before the operation in `X-Amz-Target`.
    fn target(self) -> &'static str {
        match self {
            Service::IdentityStore => "AWSIdentityStore",
            Service::Keys => "TrentService",
            Service::Organizations => "AWSOrganizationsV20161128",
            Service::Parameters => "AmazonSSM",
            Service::Secrets => "secretsmanager",
            Service::Center => "SWBExternalService",
        }
    }

    fn of_action(action: &str) -> Option<(Service, &str)> {
        let (name, operation) = action.split_once(':')?;
        let all = [
            Service::IdentityStore,
            Service::Keys,
            Service::Organizations,
            Service::Parameters,
            Service::Secrets,
            Service::Center,
        ];
        let service = all.into_iter().find(|service| service.name() == name)?;
        Some((service, operation))
    }

    /// Where it is asked, and the region that is signed for.
    fn place(self, region: &str) -> (String, &str) {
        let china = region.starts_with("cn-");
        // The organisation has one place in each partition.
        let region = match self {
            Service::Organizations if china => "cn-northwest-1",
            Service::Organizations if region.starts_with("us-gov-") => "us-gov-west-1",
            Service::Organizations => "us-east-1",
            _ => region,
        };
        let end = if china {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        (format!("https://{}.{region}.{end}", self.name()), region)
    }
}

/// How long before their end credentials are made anew.
const EARLY: Duration = Duration::from_secs(120);

/// Asks services that speak JSON.
pub struct Json {
    cloud: Cloud,
    wire: Wire,
    maker: Maker,
    held: Mutex<Option<Credentials>>,
}

/// The words of a refusal: `__type` and a message, whose name begins with either letter.
#[derive(Default, Deserialize)]
struct Words {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Json {
    pub fn new(cloud: &Cloud, wire: &Wire, maker: Maker) -> Json {
        Json {
            cloud: cloud.clone(),
            wire: wire.clone(),
            maker,
            held: Mutex::default(),
        }
    }

    async fn credentials(&self) -> Result<Credentials, ConnectorError> {
        let mut held = self.held.lock().await;
        let holds = |credentials: &Credentials| {
            credentials
                .expiry()
                .is_none_or(|ends| ends > SystemTime::now() + EARLY)
        };
        if let Some(credentials) = held.as_ref().filter(|held| holds(held)) {
            return Ok(credentials.clone());
        }
        let made = self.maker.make().await?;
        *held = Some(made.clone());
        Ok(made)
    }

    /// The answer as it came, to whoever reads it; `action` as policies name it: `kms:ListGrants`.
    pub async fn raw(
        &self,
        region: &str,
        action: &str,
        body: &Value,
    ) -> Result<Got<Answer>, ConnectorError> {
        let system = self.cloud.address();
        let bug = |what: &str| {
            let message = format!("the request {what}");
            ConnectorError::new(ErrorKind::Bug, &system, action, message)
        };
        let (service, operation) =
            Service::of_action(action).ok_or_else(|| bug("is to no service"))?;
        let (address, region) = service.place(region);
        let address = self.cloud.endpoint.clone().unwrap_or(address);
        let body = body.to_string();
        let mut headers = vec![
            (
                "content-type".to_owned(),
                "application/x-amz-json-1.1".to_owned(),
            ),
            (
                "x-amz-target".to_owned(),
                format!("{}.{operation}", service.target()),
            ),
        ];
        let identity = self.credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service.name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| bug("lacks something to be signed with"))?
            .into();
        let uri = format!("{address}/");
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", uri.as_str(), pairs, signable)
            .map_err(|_| bug("cannot be signed"))?;
        let signed = sign(signable, &parameters).map_err(|_| bug("cannot be signed"))?;
        let (instructions, _) = signed.into_parts();
        let (signatures, _) = instructions.into_parts();
        for header in &signatures {
            headers.push((header.name().to_owned(), header.value().to_owned()));
        }
        let answer = self.wire.post(&address, &headers, body.as_bytes()).await?;
        if answer.status < 300 {
            return Ok(Got::Found(answer));
        }
        let words = serde_json::from_slice::<Words>(&answer.body).unwrap_or_default();
        let told = answer.header("x-amzn-errortype").unwrap_or_default();
        let in_xml = crate::error::code_in_xml(&answer.body).unwrap_or_default();
        let code = [words.kind.as_str(), told.as_str(), in_xml.as_str()];
        let code = code
            .into_iter()
            .find(|code| !code.is_empty())
            .unwrap_or_default();
        judged(
            &system,
            action,
            &Answered::of(&answer),
            code,
            &words.message,
        )
    }

    /// The answer, understood.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        region: &str,
        action: &str,
        body: &Value,
    ) -> Result<Got<T>, ConnectorError> {
        let answer = match self.raw(region, action, body).await? {
            Got::Found(answer) => answer,
            Got::Refused(why) => return Ok(Got::Refused(why)),
            Got::Absent => return Ok(Got::Absent),
        };
        SERVER
            .parsed(&self.cloud.address(), action, &answer.body)
            .map(Got::Found)
    }

    /// A list to its end: the members under `items`, the place of the next page under `place`, which is
    /// given back under `again`.
    pub async fn all<T: DeserializeOwned>(
        &self,
        region: &str,
        action: &str,
        body: &Value,
        items: &str,
    ) -> Result<Got<Vec<T>>, ConnectorError> {
        // KMS calls the places by another name than all the others.
        let (place, again) = match action.starts_with("kms:") {
            true => ("NextMarker", "Marker"),
            false => ("NextToken", "NextToken"),
        };
        let system = self.cloud.address();
        crate::error::all(&system, action, |token| {
            let mut body = body.clone();
            if let (Some(token), Some(fields)) = (token, body.as_object_mut()) {
                fields.insert(again.to_owned(), Value::String(token));
            }
            let system = self.cloud.address();
            async move {
                let mut page: Value = match self.ask(region, action, &body).await? {
                    Got::Found(page) => page,
                    Got::Refused(why) => return Ok::<_, ConnectorError>(Got::Refused(why)),
                    Got::Absent => return Ok(Got::Absent),
                };
                let odd = || SERVER.odd(&system, action, "it lacks what was asked for");
                let next = page.get(place).and_then(Value::as_str).unwrap_or_default();
                let next = Some(next.to_owned()).filter(|next| !next.is_empty());
                let listed = page.get_mut(items).map(Value::take).ok_or_else(odd)?;
                let listed: Vec<T> = serde_json::from_value(listed).map_err(|_| odd())?;
                Ok(Got::Found((listed, next)))
            }
        })
        .await
    }
}

/// A time as these services tell it: seconds since 1970, with a fraction, or RFC 3339.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    Seconds(f64),
    Text(String),
}

/// A time that may not be there.
pub fn moment(time: Option<&Moment>) -> Option<When> {
    let at = match time? {
        Moment::Seconds(seconds) => {
            let milliseconds = (seconds * 1000.0).round();
            // Numbers beyond any time are none.
            let fits = milliseconds.is_finite() && milliseconds.abs() < 8.0e15;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it was looked at just before"
            )]
            let whole = fits.then_some(milliseconds as i64)?;
            chrono::DateTime::from_timestamp_millis(whole)?
        }
        Moment::Text(text) => chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
    };
    Some(When::At(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_stand_where_aws_has_them() {
        let place = |service: Service, region| service.place(region);
        assert_eq!(
            place(Service::Secrets, "eu-west-1"),
            (
                "https://secretsmanager.eu-west-1.amazonaws.com".to_owned(),
                "eu-west-1"
            )
        );
        assert_eq!(
            place(Service::Organizations, "eu-west-1"),
            (
                "https://organizations.us-east-1.amazonaws.com".to_owned(),
                "us-east-1"
            )
        );
        assert_eq!(
            place(Service::Keys, "cn-north-1"),
            (
                "https://kms.cn-north-1.amazonaws.com.cn".to_owned(),
                "cn-north-1"
            )
        );
        for need in crate::needs::ALL {
            let of_iam = need.action.starts_with("iam:");
            assert_eq!(
                Service::of_action(need.action).is_none(),
                of_iam,
                "{}",
                need.action
            );
        }
    }

    #[test]
    fn times_are_seconds_or_text() {
        let told = |text: &str| moment(serde_json::from_str(text).ok().as_ref()).map(When::to_text);
        assert_eq!(
            told("1780000000.5").as_deref(),
            Some("2026-05-28T20:26:40.500Z")
        );
        assert_eq!(
            told("\"2026-01-02T03:04:05Z\"").as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(told("1e300"), None);
        assert_eq!(told("null"), None);
    }
}
