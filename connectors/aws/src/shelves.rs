//! Secrets and parameters by name, their policies, and the keys that they are under.

use crate::api::Api;
use crate::error::{Got, there};
use crate::iam::shown;
use crate::json::{Moment, moment};
use crate::lacks::Lacks;
use crate::objects::Shelf;
use crate::settings::{Parameters, Part};
use lastkey_contract::{ConnectorError, Kind, When};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    name: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
    kms_key_id: Option<String>,
    rotation_enabled: Option<bool>,
    #[serde(rename = "RotationLambdaARN")]
    rotation_lambda_arn: Option<String>,
    rotation_rules: Option<RotationRules>,
    last_rotated_date: Option<Moment>,
    last_changed_date: Option<Moment>,
    last_accessed_date: Option<Moment>,
    next_rotation_date: Option<Moment>,
    created_date: Option<Moment>,
    deleted_date: Option<Moment>,
    owning_service: Option<String>,
    primary_region: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotationRules {
    automatically_after_days: Option<i64>,
    schedule_expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version_stages: Option<Vec<String>>,
    created_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
    #[serde(rename = "Type")]
    sort: Option<String>,
    key_id: Option<String>,
    last_modified_date: Option<Moment>,
    last_modified_user: Option<String>,
    tier: Option<String>,
    version: Option<i64>,
}

impl Parameter {
    fn is_secure(&self) -> bool {
        self.sort.as_deref() == Some("SecureString")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretPolicy {
    resource_policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterPolicy {
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_metadata: Option<KeyMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadata {
    arn: Option<String>,
    key_manager: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPolicy {
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyGrant {
    grant_id: Option<String>,
    grantee_principal: Option<String>,
    operations: Option<Vec<String>>,
}

/// All secrets and parameters of the regions that are read, by their paths.
pub async fn read(api: &Api, lacks: &mut Lacks) -> Result<BTreeMap<String, Shelf>, ConnectorError> {
    let mut shelves = Vec::new();
    for region in &api.cloud.regions {
        if api.cloud.reads(Part::Secrets) {
            shelves.extend(secrets(api, region, lacks).await?);
        }
        if api.cloud.reads(Part::Parameters) {
            shelves.extend(parameters(api, region, lacks).await?);
        }
    }
    Ok(shelves
        .into_iter()
        .map(|shelf| (shelf.path(), shelf))
        .collect())
}

async fn secrets(api: &Api, region: &str, lacks: &mut Lacks) -> Result<Vec<Shelf>, ConnectorError> {
    let action = "secretsmanager:ListSecrets";
    let body = json!({ "MaxResults": 100, "IncludePlannedDeletion": true });
    let list = api.json.all(region, action, &body, "SecretList").await?;
    let found: Vec<Secret> = shown(list, action, region, lacks).unwrap_or_default();
    let made = found.into_iter().map(|told| secret(region, told));
    made.map(|shelf| there(api.address(), action, shelf))
        .collect()
}

fn secret(region: &str, told: Secret) -> Option<Shelf> {
    let when = |time: &Option<Moment>| moment(time.as_ref());
    let mut shelf = Shelf {
        region: region.to_owned(),
        name: told.name?,
        arn: told.arn?,
        encrypted: true,
        key: told.kms_key_id.filter(|key| !key.is_empty()),
        rotated: when(&told.last_rotated_date),
        deleted: told.deleted_date.is_some(),
        ..Shelf::default()
    };
    let rotation = told
        .rotation_enabled
        .map(|on| if on { "on" } else { "off" });
    shelf.say("rotation", rotation.map(str::to_owned));
    shelf.say("rotated_by", told.rotation_lambda_arn);
    if let Some(rules) = told.rotation_rules {
        let days = rules.automatically_after_days;
        let days = days.map(|days| format!("every {days} days"));
        shelf.say("rotation_rule", rules.schedule_expression.or(days));
    }
    shelf.say_when("next_rotation", when(&told.next_rotation_date));
    shelf.say_when("created_at", when(&told.created_date));
    shelf.say_when("changed_at", when(&told.last_changed_date));
    shelf.say_when("last_accessed_on", when(&told.last_accessed_date));
    shelf.say_when("deleted_at", when(&told.deleted_date));
    shelf.say("owning_service", told.owning_service);
    let primary = told.primary_region.filter(|primary| primary != region);
    shelf.say("primary_region", primary);
    let tags = told.tags.unwrap_or_default();
    shelf.tags = tags
        .into_iter()
        .filter_map(|tag| Some((tag.key?, tag.value?)))
        .collect();
    Some(shelf)
}

impl Shelf {
    pub fn say(&mut self, name: &'static str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.told.insert(name, text);
        }
    }

    pub fn say_when(&mut self, name: &'static str, when: Option<When>) {
        self.say(name, when.map(When::to_text));
    }
}

async fn parameters(
    api: &Api,
    region: &str,
    lacks: &mut Lacks,
) -> Result<Vec<Shelf>, ConnectorError> {
    let action = "ssm:DescribeParameters";
    let body = json!({ "MaxResults": 50 });
    let list = api.json.all(region, action, &body, "Parameters").await?;
    let found: Vec<Parameter> = shown(list, action, region, lacks).unwrap_or_default();
    let all = api.cloud.parameters == Parameters::All;
    let (wanted, plain): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|told| all || told.is_secure());
    if !plain.is_empty() {
        let count = plain.len();
        let reason = format!(
            "{count} plain parameters are not told, as configured (parameters=secure): what stands in them is kept without a key"
        );
        lacks.remark(&[Kind::Location], &reason, region);
    }
    let made = wanted.into_iter().map(|told| parameter(region, told));
    made.map(|shelf| there(api.address(), action, shelf))
        .collect()
}

fn parameter(region: &str, told: Parameter) -> Option<Shelf> {
    let secure = told.is_secure();
    let name = told.name?;
    let arn = told.arn.unwrap_or_else(|| {
        // Old answers name no ARN; the partition and the account are filled in by the estate.
        let bare = name.trim_start_matches('/');
        format!("arn::ssm:{region}::parameter/{bare}")
    });
    let changed = moment(told.last_modified_date.as_ref());
    let mut shelf = Shelf {
        region: region.to_owned(),
        name,
        arn,
        parameter: true,
        encrypted: secure,
        key: told.key_id.filter(|key| !key.is_empty()),
        advanced: told.tier.as_deref() == Some("Advanced"),
        // Each change of a parameter sets its value: there is no other change.
        rotated: changed,
        ..Shelf::default()
    };
    shelf.say("type", told.sort);
    shelf.say("tier", told.tier);
    shelf.say_when("changed_at", changed);
    shelf.say("changed_by", told.last_modified_user);
    shelf.say("version", told.version.map(|version| version.to_string()));
    Some(shelf)
}

/// The policy of a secret or parameter, as it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    None,
    Texts(Vec<String>),
    /// We may not read it; the action.
    Unread(&'static str),
}

/// The own policy of one.
pub async fn policy(api: &Api, shelf: &Shelf, lacks: &mut Lacks) -> Result<Own, ConnectorError> {
    let region = shelf.region.as_str();
    let (action, got) = match (shelf.parameter, shelf.advanced) {
        (false, _) => {
            let action = "secretsmanager:GetResourcePolicy";
            let body = json!({ "SecretId": shelf.arn });
            let told: Got<SecretPolicy> = api.json.ask(region, action, &body).await?;
            (
                action,
                told.map(|told| told.resource_policy.into_iter().collect::<Vec<_>>()),
            )
        }
        // AWS shares advanced parameters alone.
        (true, false) => return Ok(Own::None),
        (true, true) => {
            let action = "ssm:GetResourcePolicies";
            let body = json!({ "ResourceArn": shelf.arn });
            let told: Got<Vec<ParameterPolicy>> =
                api.json.all(region, action, &body, "Policies").await?;
            (
                action,
                told.map(|told| told.into_iter().filter_map(|p| p.policy).collect()),
            )
        }
    };
    Ok(match got {
        Got::Found(texts) => {
            let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            match texts.is_empty() {
                true => Own::None,
                false => Own::Texts(texts),
            }
        }
        Got::Absent => Own::None,
        Got::Refused(_) => {
            lacks.refused(action, &shelf.path());
            Own::Unread(action)
        }
    })
}

/// When the value of a secret that holds now was set; None where it is not told.
pub async fn value_set(
    api: &Api,
    shelf: &Shelf,
    lacks: &mut Lacks,
) -> Result<Option<When>, ConnectorError> {
    if shelf.parameter {
        return Ok(None);
    }
    let action = "secretsmanager:ListSecretVersionIds";
    let body = json!({ "SecretId": shelf.arn });
    let list = api
        .json
        .all(&shelf.region, action, &body, "Versions")
        .await?;
    let versions: Vec<Version> = match list {
        Got::Found(versions) => versions,
        Got::Absent => {
            lacks.vanished(&[Kind::Location], &shelf.path());
            return Ok(None);
        }
        Got::Refused(_) => {
            lacks.refused(action, &shelf.path());
            return Ok(None);
        }
    };
    let current = versions.iter().find(|version| {
        let mut stages = version.version_stages.iter().flatten();
        stages.any(|stage| stage == "AWSCURRENT")
    });
    Ok(moment(
        current.and_then(|version| version.created_date.as_ref()),
    ))
}

/// A key that secrets are under, as far as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// AWS's own for the service: whoever of the account may ask the service needs no right to it.
    OfAws,
    Own {
        arn: String,
        /// Its policy; None where it was not shown.
        policy: Option<String>,
        /// Id, grantee, operations; None where they were not shown.
        grants: Option<Vec<(String, String, Vec<String>)>>,
    },
    /// Not shown at all; the action that was refused, or what is odd about it.
    Unread(String),
}

/// The key that is named so in a region.
pub async fn key(
    api: &Api,
    region: &str,
    named: &str,
    lacks: &mut Lacks,
) -> Result<Key, ConnectorError> {
    let bare = named.rsplit(':').next().unwrap_or(named);
    if bare.starts_with("alias/aws/") {
        return Ok(Key::OfAws);
    }
    let action = "kms:DescribeKey";
    let body = json!({ "KeyId": named });
    let told = match api.json.ask::<Described>(region, action, &body).await? {
        Got::Found(told) => there(api.address(), action, told.key_metadata)?,
        Got::Absent => return Ok(Key::Unread("there is no such key".to_owned())),
        Got::Refused(_) => {
            lacks.refused(action, named);
            return Ok(Key::Unread(action.to_owned()));
        }
    };
    if told.key_manager.as_deref() == Some("AWS") {
        return Ok(Key::OfAws);
    }
    let arn = there(api.address(), action, told.arn)?;
    let action = "kms:GetKeyPolicy";
    let body = json!({ "KeyId": arn, "PolicyName": "default" });
    let policy = api.json.ask::<KeyPolicy>(region, action, &body).await?;
    let policy = shown(policy, action, &arn, lacks);
    let action = "kms:ListGrants";
    let body = json!({ "KeyId": arn });
    let grants = api
        .json
        .all::<KeyGrant>(region, action, &body, "Grants")
        .await?;
    let grants = shown(grants, action, &arn, lacks);
    let one = |grant: KeyGrant| {
        let operations = grant.operations.unwrap_or_default();
        Some((
            grant.grant_id.unwrap_or_default(),
            grant.grantee_principal?,
            operations,
        ))
    };
    Ok(Key::Own {
        arn,
        policy: policy.and_then(|told| told.policy),
        grants: grants.map(|grants| grants.into_iter().filter_map(one).collect()),
    })
}
