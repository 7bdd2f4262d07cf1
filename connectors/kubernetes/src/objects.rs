//! Objects of the API, as far as they are looked at.
//!
//! What is not named here is not kept: values of environment variables, bodies of annotations and
//! whatever else may hold a secret is passed over by the parser.

use crate::rbac::{RoleRef, Rule, Selector, Subject};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A list of one sort, one page of it.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct List<T> {
    pub kind: String,
    pub metadata: ListMeta,
    #[serde(
        alias = "rows",
        default = "Vec::new",
        deserialize_with = "null_is_none"
    )]
    pub items: Vec<T>,
}

fn null_is_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMeta {
    #[serde(rename = "continue", default)]
    pub next: Option<String>,
    #[serde(default)]
    pub remaining_item_count: Option<u64>,
}

/// The words of the API server about a failure.
#[derive(Debug, Deserialize)]
pub struct Status {
    pub kind: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub reason: String,
}

/// What every object says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    pub name: String,
    pub namespace: Option<String>,
    pub uid: Option<String>,
    pub creation_timestamp: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: Annotations,
    pub owner_references: Vec<Owner>,
    pub managed_fields: Vec<Managed>,
}

impl Meta {
    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace(), self.name)
    }

    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Owner {
    pub kind: String,
    pub name: String,
}

/// Annotations that say something to us; of the others not even the value is looked at, since
/// `kubectl apply` writes the whole object into one, a Secret with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    pub told: BTreeMap<&'static str, String>,
    /// Whether `kubectl apply` wrote the whole object into an annotation.
    pub applied: bool,
}

/// The service account of a legacy token.
pub const TOKEN_OF: &str = "kubernetes.io/service-account.name";
/// The identities of clouds that a service account takes on.
pub const CLOUDS: [&str; 3] = [
    "azure.workload.identity/client-id",
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
];
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Known;
        impl<'de> Visitor<'de> for Known {
            type Value = Annotations;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }
            fn visit_unit<E>(self) -> Result<Annotations, E> {
                Ok(Annotations::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
                let mut all = Annotations::default();
                while let Some(key) = map.next_key::<String>()? {
                    let known = CLOUDS
                        .iter()
                        .chain([&TOKEN_OF])
                        .find(|known| **known == key);
                    match known {
                        Some(known) => {
                            all.told.insert(*known, map.next_value()?);
                        }
                        None => {
                            all.applied |= key == APPLIED;
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(all)
            }
        }
        from.deserialize_any(Known)
    }
}

/// Who set which fields, and when; of a Secret the names of its keys stand here without a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Managed {
    pub time: Option<String>,
    #[serde(rename = "fieldsV1")]
    pub fields: Fields,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Fields {
    #[serde(rename = "f:data")]
    pub data: Names,
}

/// The names of fields, without what stands below them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub BTreeSet<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all: BTreeMap<String, IgnoredAny> = Deserialize::deserialize(from)?;
        let names = all.keys().filter_map(|key| key.strip_prefix("f:"));
        Ok(Names(names.map(str::to_owned).collect()))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    pub metadata: Meta,
    #[serde(default)]
    pub image_pull_secrets: Vec<Named>,
    #[serde(default)]
    pub secrets: Vec<Named>,
    #[serde(default)]
    pub automount_service_account_token: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Named {
    pub name: String,
}

/// A role, of a namespace or of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub metadata: Meta,
    #[serde(default, deserialize_with = "null_is_none")]
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub aggregation_rule: Option<Aggregation>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Aggregation {
    pub cluster_role_selectors: Vec<Selector>,
}

/// A binding, of a namespace or of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleBinding {
    pub metadata: Meta,
    #[serde(default, deserialize_with = "null_is_none")]
    pub subjects: Vec<Subject>,
    pub role_ref: RoleRef,
}

/// A Secret as a row of a table: the server leaves its values out.
#[derive(Clone, Debug, Deserialize)]
pub struct SecretRow {
    pub cells: Vec<serde_json::Value>,
    pub object: Bare,
}

/// An object of which only the metadata came.
#[derive(Clone, Debug, Deserialize)]
pub struct Bare {
    pub metadata: Meta,
}

/// A Secret, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSeen {
    pub meta: Meta,
    pub sort: Option<String>,
    /// How many keys it has.
    pub keys: Option<u64>,
}

impl SecretRow {
    /// The columns are those that the server prints: name, type, number of keys, age.
    pub fn seen(self) -> SecretSeen {
        let sort = self.cells.get(1).and_then(|cell| cell.as_str());
        let keys = self.cells.get(2).and_then(|cell| match cell {
            serde_json::Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        SecretSeen {
            sort: sort.map(str::to_owned),
            keys,
            meta: self.object.metadata,
        }
    }
}

impl SecretSeen {
    /// The names of its keys, as far as whoever set them is recorded.
    pub fn key_names(&self) -> BTreeSet<&str> {
        let managed = self.meta.managed_fields.iter();
        managed
            .flat_map(|each| each.fields.data.0.iter().map(String::as_str))
            .collect()
    }

    /// When its keys were last set, at the latest: the time is that of whoever set one, who may have
    /// changed something else then.
    pub fn set_at(&self) -> Option<&str> {
        let managed = self.meta.managed_fields.iter();
        managed
            .filter(|each| !each.fields.data.0.is_empty())
            .filter_map(|each| each.time.as_deref())
            .max()
    }
}

/// Something that runs pods, or a pod: `spec.template` of most, `spec.jobTemplate` of a CronJob,
/// `spec` of a pod.
#[derive(Clone, Debug, Deserialize)]
pub struct Workload {
    pub metadata: Meta,
    #[serde(default)]
    pub spec: PodSpec,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JobTemplate {
    pub spec: Inner,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Inner {
    pub template: Option<Box<Template>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Template {
    pub spec: PodSpec,
}

impl Workload {
    /// What its pods are made of.
    pub fn pods(&self) -> &PodSpec {
        let below = self.spec.job_template.as_ref();
        let below = below.and_then(|job| job.spec.template.as_deref());
        let template = self.spec.template.as_deref().or(below);
        template.map_or(&self.spec, |template| &template.spec)
    }
}

/// What pods are made of; at its place in the object that runs them also where it stands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    pub template: Option<Box<Template>>,
    pub job_template: Option<JobTemplate>,
    pub service_account_name: Option<String>,
    pub image_pull_secrets: Vec<Named>,
    pub containers: Vec<Container>,
    pub init_containers: Vec<Container>,
    pub ephemeral_containers: Vec<Container>,
    pub volumes: Vec<Volume>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub name: String,
    pub env: Vec<Env>,
    pub env_from: Vec<EnvFrom>,
}

/// A variable: its name and where it comes from, never its value.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Env {
    pub name: String,
    pub value_from: Option<ValueFrom>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    pub secret_key_ref: Option<KeyRef>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct KeyRef {
    pub name: String,
    pub key: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvFrom {
    pub secret_ref: Option<Named>,
}

/// A volume, as far as Secrets come through it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    pub secret: Option<SecretVolume>,
    pub projected: Option<Projected>,
    pub csi: Option<Driver>,
    #[serde(rename = "flexVolume")]
    pub flex: Option<Driver>,
    pub cephfs: Option<Driver>,
    pub iscsi: Option<Driver>,
    pub rbd: Option<Driver>,
    #[serde(rename = "scaleIO")]
    pub scale_io: Option<Driver>,
    pub storageos: Option<Driver>,
    pub azure_file: Option<AzureFile>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretVolume {
    pub secret_name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Projected {
    pub sources: Vec<Source>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Source {
    pub secret: Option<Named>,
}

/// A driver of storage, which signs in with a Secret.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Driver {
    #[serde(alias = "nodePublishSecretRef")]
    pub secret_ref: Option<Named>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AzureFile {
    pub secret_name: String,
}

/// A request for a certificate of a client, and the certificate where it was made.
#[derive(Clone, Debug, Deserialize)]
pub struct SigningRequest {
    pub metadata: Meta,
    pub spec: SigningSpec,
    #[serde(default)]
    pub status: SigningStatus,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningSpec {
    #[serde(default)]
    pub signer_name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub usages: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SigningStatus {
    /// PEM in base64.
    pub certificate: Option<String>,
}

/// What the server knows of API groups.
#[derive(Debug, Deserialize)]
pub struct Groups {
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub name: String,
    #[serde(default)]
    pub preferred_version: Version,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Version {
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn annotations_are_kept_only_where_they_are_known() {
        let meta: Meta = serde_json::from_value(json!({"name":"db","annotations":{
            TOKEN_OF: "web",
            APPLIED: "{\"data\":{\"password\":\"canary\"}}",
            "x": "canary",
        }}))
        .unwrap();
        assert_eq!(meta.annotations.told[TOKEN_OF], "web");
        assert!(meta.annotations.applied);
        assert!(!format!("{meta:?}").contains("canary"));
    }

    #[test]
    fn a_secret_is_a_row_with_the_names_of_its_keys() {
        let list: List<SecretRow> = serde_json::from_value(json!({
            "kind":"Table","metadata":{"resourceVersion":"7","continue":"more"},
            "rows":[{"cells":["db","Opaque",2,"5d"],"object":{"metadata":{"name":"db","namespace":"shop",
                "managedFields":[
                    {"time":"2026-01-02T00:00:00Z","fieldsV1":{"f:data":{".":{},"f:user":{}},"f:type":{}}},
                    {"time":"2026-03-02T00:00:00Z","fieldsV1":{"f:data":{"f:password":{}}}},
                    {"time":"2026-05-02T00:00:00Z","fieldsV1":{"f:metadata":{"f:labels":{}}}}]}}}]
        }))
        .unwrap();
        assert_eq!(list.metadata.next.as_deref(), Some("more"));
        let seen = list.items.into_iter().next().unwrap().seen();
        assert_eq!((seen.sort.as_deref(), seen.keys), (Some("Opaque"), Some(2)));
        assert_eq!(seen.key_names(), BTreeSet::from(["password", "user"]));
        assert_eq!(seen.set_at(), Some("2026-03-02T00:00:00Z"));
    }

    #[test]
    fn pods_stand_at_different_depths() {
        let inner = json!({"serviceAccountName":"web"});
        for spec in [
            inner.clone(),
            json!({"template":{"spec":inner}}),
            json!({"jobTemplate":{"spec":{"template":{"spec":inner}}}}),
        ] {
            let workload: Workload =
                serde_json::from_value(json!({"metadata":{"name":"x"},"spec":spec})).unwrap();
            assert_eq!(workload.pods().service_account_name.as_deref(), Some("web"));
        }
    }

    #[test]
    fn the_value_of_a_variable_is_not_kept() {
        let env: Env = serde_json::from_value(json!({"name":"A","value":"canary"})).unwrap();
        assert!(!format!("{env:?}").contains("canary"));
    }
}
