//! Which Secrets there are, what uses each, and where its value comes from. Pure.

use crate::objects::{PodSpec, SecretSeen, ServiceAccount, Workload};
use crate::rbac::of_service_account;
use lastkey_contract::{NoteKind, Notes};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A Secret, by what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// As its list told of it; None where only a reference names it.
    pub seen: Option<SecretSeen>,
    /// What uses it, and how.
    pub used_by: BTreeSet<String>,
    /// Where another store has the value, by the names that are given for it.
    pub upstream: BTreeSet<String>,
}

/// The lists that this is made of.
#[derive(Debug, Default)]
pub struct Stocks {
    pub secrets: Vec<SecretSeen>,
    /// Whether those are all Secrets of what is read: only then is one that they lack not there.
    pub listed_whole: bool,
    /// Each with its sort, such as `Deployment`.
    pub workloads: Vec<(&'static str, Vec<Workload>)>,
    /// Each with its sort; as they are, since their shape is not the cluster's own.
    pub external: Vec<(&'static str, Vec<Value>)>,
}

/// Every Secret, by `namespace/name`.
#[derive(Clone, Debug, Default)]
pub struct Shelves {
    pub all: BTreeMap<String, Shelf>,
    pub notes: Notes,
}

impl Shelves {
    pub fn of<'a>(
        stocks: Stocks,
        service_accounts: impl Iterator<Item = (&'a str, &'a ServiceAccount)>,
    ) -> Shelves {
        let listed = stocks.listed_whole;
        let mut made = Shelves::default();
        for secret in stocks.secrets {
            let shelf = made.all.entry(secret.meta.path()).or_default();
            shelf.seen = Some(secret);
        }
        let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, how) in uses_of(&stocks.workloads) {
            used.entry(path).or_default().insert(how);
        }
        for (user, account) in service_accounts {
            let Some((namespace, name)) = of_service_account(user) else {
                continue;
            };
            for pulled in &account.image_pull_secrets {
                let how = format!("ServiceAccount {name} (pulls images)");
                let path = format!("{namespace}/{}", pulled.name);
                used.entry(path).or_default().insert(how);
            }
        }
        for (path, ways) in used {
            made.shelf(path, listed, &ways, |shelf| {
                shelf.used_by.extend(ways.clone())
            });
        }
        let stores = stores(&stocks.external);
        for (sort, external) in &stocks.external {
            for value in external.iter().filter(|_| *sort == "ExternalSecret") {
                match fetched(value, &stores) {
                    Some((path, names)) => {
                        let ways = BTreeSet::from(["ExternalSecret".to_owned()]);
                        made.shelf(path, listed, &ways, |shelf| shelf.upstream.extend(names));
                    }
                    None => {
                        let reason = "an external secret was not understood";
                        let name = text(value, "/metadata/name").unwrap_or_default();
                        made.notes.add(NoteKind::Drift, reason, Some(name));
                    }
                }
            }
        }
        made
    }

    /// Says something of a Secret. One that is in no list although all are listed is not there.
    fn shelf(
        &mut self,
        path: String,
        listed: bool,
        ways: &BTreeSet<String>,
        say: impl FnOnce(&mut Shelf),
    ) {
        if listed && !self.all.contains_key(&path) {
            let reason = "something names a Secret that is not there";
            let by = ways.first().map_or("", String::as_str);
            let example = format!("{path}: {by}");
            self.notes.add(NoteKind::Dangling, reason, Some(example));
            return;
        }
        say(self.all.entry(path).or_default());
    }
}

/// Each use of a Secret by a workload. Pods that something else makes are told of only where they
/// use what that does not name, as when a webhook adds a container.
fn uses_of(workloads: &[(&'static str, Vec<Workload>)]) -> BTreeSet<(String, String)> {
    let mut uses = BTreeSet::new();
    let mut by_makers: BTreeSet<(String, String)> = BTreeSet::new();
    let made = |workload: &Workload| workload.metadata.owner_references.first().cloned();
    let all = || {
        let each = workloads.iter();
        each.flat_map(|(sort, list)| list.iter().map(move |workload| (*sort, workload)))
    };
    for (sort, workload) in all().filter(|(_, workload)| made(workload).is_none()) {
        let namespace = workload.metadata.namespace();
        for (secret, how) in secrets_of(workload.pods()) {
            let path = format!("{namespace}/{secret}");
            by_makers.insert((path.clone(), how.clone()));
            uses.insert((path, format!("{sort} {} ({how})", workload.metadata.name)));
        }
    }
    for (_, workload) in all() {
        let Some(maker) = made(workload) else {
            continue;
        };
        for (secret, how) in secrets_of(workload.pods()) {
            let use_of = (format!("{}/{secret}", workload.metadata.namespace()), how);
            if !by_makers.contains(&use_of) {
                let (path, how) = use_of;
                uses.insert((path, format!("{} {} ({how})", maker.kind, maker.name)));
            }
        }
    }
    uses
}

/// Secrets that pods use, each with how.
pub fn secrets_of(pods: &PodSpec) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    let mut take = |name: &str, how: String| {
        if !name.is_empty() {
            all.insert((name.to_owned(), how));
        }
    };
    for pulled in &pods.image_pull_secrets {
        take(&pulled.name, "pulls images".to_owned());
    }
    let containers = pods.containers.iter().chain(&pods.init_containers);
    for container in containers.chain(&pods.ephemeral_containers) {
        for env in &container.env {
            let from = env.value_from.as_ref();
            if let Some(key) = from.and_then(|from| from.secret_key_ref.as_ref()) {
                take(&key.name, format!("{} in {}", key.key, env.name));
            }
        }
        for secret in container
            .env_from
            .iter()
            .filter_map(|from| from.secret_ref.as_ref())
        {
            take(&secret.name, "variables".to_owned());
        }
    }
    for volume in &pods.volumes {
        if let Some(secret) = &volume.secret {
            take(&secret.secret_name, "mounted".to_owned());
        }
        let sources = volume
            .projected
            .iter()
            .flat_map(|projected| &projected.sources);
        for secret in sources.filter_map(|source| source.secret.as_ref()) {
            take(&secret.name, "mounted".to_owned());
        }
        let drivers = [
            &volume.csi,
            &volume.flex,
            &volume.cephfs,
            &volume.iscsi,
            &volume.rbd,
            &volume.scale_io,
            &volume.storageos,
        ];
        for secret in drivers
            .into_iter()
            .flatten()
            .filter_map(|d| d.secret_ref.as_ref())
        {
            take(&secret.name, "for a volume".to_owned());
        }
        if let Some(azure) = &volume.azure_file {
            take(&azure.secret_name, "for a volume".to_owned());
        }
    }
    all
}

fn text(value: &Value, at: &str) -> Option<String> {
    let text = value.pointer(at)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Stores of external secrets, by kind, namespace and name: what each is, in words.
fn stores(external: &[(&'static str, Vec<Value>)]) -> BTreeMap<(String, String, String), String> {
    let mut stores = BTreeMap::new();
    for (sort, list) in external
        .iter()
        .filter(|(sort, _)| sort.ends_with("SecretStore"))
    {
        for value in list {
            let name = text(value, "/metadata/name").unwrap_or_default();
            let namespace = text(value, "/metadata/namespace").unwrap_or_default();
            let told = told(value.pointer("/spec/provider"));
            stores.insert(((*sort).to_owned(), namespace, name), told);
        }
    }
    stores
}

/// Where a provider's store is: its sort and the plain names that it is configured with.
fn told(provider: Option<&Value>) -> String {
    let Some((sort, with)) = provider
        .and_then(Value::as_object)
        .and_then(|p| p.iter().next())
    else {
        return "a store that is not told".to_owned();
    };
    let known = [
        "server",
        "path",
        "namespace",
        "service",
        "region",
        "projectID",
        "vaultUrl",
        "url",
        "host",
    ];
    let mut words = vec![sort.clone()];
    for key in known {
        if let Some(text) = with.get(key).and_then(Value::as_str) {
            words.push(lastkey_contract::shown_address(text));
        }
    }
    words.join(" ")
}

/// The Secret that an external secret fills, and the names of what it is filled with.
fn fetched(
    value: &Value,
    stores: &BTreeMap<(String, String, String), String>,
) -> Option<(String, BTreeSet<String>)> {
    let name = text(value, "/metadata/name")?;
    let namespace = text(value, "/metadata/namespace")?;
    let target = text(value, "/spec/target/name").unwrap_or(name);
    let own = store(value.pointer("/spec/secretStoreRef"), &namespace, stores);
    let mut names = BTreeSet::new();
    let list = |at: &str| value.pointer(at).and_then(Value::as_array);
    for item in list("/spec/data").into_iter().flatten() {
        let store = store(item.pointer("/sourceRef/storeRef"), &namespace, stores)
            .or_else(|| own.clone())
            .unwrap_or_default();
        let key = text(item, "/remoteRef/key")?;
        let field = text(item, "/remoteRef/property").map(|field| format!("#{field}"));
        names.insert(format!("{store}: {key}{}", field.unwrap_or_default()));
    }
    for item in list("/spec/dataFrom").into_iter().flatten() {
        let store = store(item.pointer("/sourceRef/storeRef"), &namespace, stores)
            .or_else(|| own.clone())
            .unwrap_or_default();
        let key = text(item, "/extract/key")
            .or_else(|| text(item, "/find/path").map(|path| format!("{path}/*")))
            .or_else(|| text(item, "/find/name/regexp"));
        names.insert(format!(
            "{store}: {}",
            key.unwrap_or_else(|| "*".to_owned())
        ));
    }
    Some((format!("{namespace}/{target}"), names))
}

fn store(
    reference: Option<&Value>,
    namespace: &str,
    stores: &BTreeMap<(String, String, String), String>,
) -> Option<String> {
    let name = text(reference?, "/name")?;
    let kind = text(reference?, "/kind").unwrap_or_else(|| "SecretStore".to_owned());
    let namespace = match kind.as_str() {
        "ClusterSecretStore" => String::new(),
        _ => namespace.to_owned(),
    };
    let told = stores.get(&(kind.clone(), namespace, name.clone()));
    Some(told.cloned().unwrap_or(format!("{kind} {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Meta;
    use serde_json::json;

    fn workload(value: Value) -> Workload {
        serde_json::from_value(value).unwrap()
    }

    fn secret(path: &str) -> SecretSeen {
        let (namespace, name) = path.split_once('/').unwrap();
        SecretSeen {
            meta: Meta {
                name: name.to_owned(),
                namespace: Some(namespace.to_owned()),
                ..Meta::default()
            },
            sort: None,
            keys: None,
        }
    }

    #[test]
    fn every_way_of_using_a_secret_is_found() {
        let pods: PodSpec = serde_json::from_value(json!({
            "imagePullSecrets":[{"name":"pull"}],
            "containers":[{"name":"c","env":[
                {"name":"DB","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}},
                {"name":"PLAIN","value":"x"},
                {"name":"MAP","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}}],
                "envFrom":[{"secretRef":{"name":"all"}},{"configMapRef":{"name":"m"}}]}],
            "initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"first"}}]}],
            "volumes":[{"name":"a","secret":{"secretName":"files"}},
                {"name":"b","projected":{"sources":[{"secret":{"name":"some"}},{"serviceAccountToken":{"path":"t"}}]}},
                {"name":"c","csi":{"driver":"d","nodePublishSecretRef":{"name":"disk"}}},
                {"name":"d","azureFile":{"secretName":"share","shareName":"s"}},
                {"name":"e","emptyDir":{}}]
        }))
        .unwrap();
        let found: Vec<(String, String)> = secrets_of(&pods).into_iter().collect();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let expected = [
            ("all", "variables"),
            ("db", "password in DB"),
            ("disk", "for a volume"),
            ("files", "mounted"),
            ("first", "variables"),
            ("pull", "pulls images"),
            ("share", "for a volume"),
            ("some", "mounted"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn pods_are_told_by_what_makes_them() {
        let mounts = |name: &str| json!({"volumes":[{"secret":{"secretName":name}}]});
        let mut injected = mounts("db");
        let added = json!({"secret":{"secretName":"injected"}});
        injected["volumes"].as_array_mut().unwrap().push(added);
        let owner = json!([{"kind":"ReplicaSet","name":"web-1"}]);
        let stocks = Stocks {
            secrets: vec![secret("shop/db"), secret("shop/injected")],
            listed_whole: true,
            workloads: vec![
                (
                    "Deployment",
                    vec![workload(
                        json!({"metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"spec":mounts("db")}}}),
                    )],
                ),
                (
                    "Pod",
                    vec![
                        workload(
                            json!({"metadata":{"name":"web-1-x","namespace":"shop","ownerReferences":owner},"spec":injected}),
                        ),
                        workload(
                            json!({"metadata":{"name":"lost","namespace":"shop"},"spec":mounts("gone")}),
                        ),
                    ],
                ),
            ],
            ..Stocks::default()
        };
        let made = Shelves::of(stocks, std::iter::empty());
        let used = |path: &str| made.all[path].used_by.iter().cloned().collect::<Vec<_>>();
        assert_eq!(used("shop/db"), ["Deployment web (mounted)"]);
        assert_eq!(used("shop/injected"), ["ReplicaSet web-1 (mounted)"]);
        assert_eq!(made.all.len(), 2);
        let notes = made.notes.about(lastkey_contract::Kind::Location);
        assert_eq!(notes[0].examples, ["shop/gone: Pod lost (mounted)"]);
    }

    #[test]
    fn what_names_a_secret_stands_for_it_where_none_is_listed() {
        let account: ServiceAccount = serde_json::from_value(json!({
            "metadata":{"name":"web","namespace":"shop"},"imagePullSecrets":[{"name":"pull"}]}))
        .unwrap();
        let accounts = [("system:serviceaccount:shop:web", &account)];
        let made = Shelves::of(Stocks::default(), accounts.into_iter());
        let shelf = &made.all["shop/pull"];
        assert!(shelf.seen.is_none());
        assert_eq!(
            shelf.used_by.first().unwrap(),
            "ServiceAccount web (pulls images)"
        );
    }

    #[test]
    fn names_of_the_store_behind_are_told() {
        let external = json!({"metadata":{"name":"db","namespace":"shop"},"spec":{
            "secretStoreRef":{"name":"vault","kind":"ClusterSecretStore"},
            "data":[{"secretKey":"p","remoteRef":{"key":"prod/db","property":"password"}}],
            "dataFrom":[{"extract":{"key":"prod/all"}},{"find":{"path":"prod/more"},"sourceRef":{"storeRef":{"name":"other"}}}]}});
        let store = json!({"metadata":{"name":"vault"},"spec":{"provider":{"vault":{
            "server":"https://u:pw@vault.example.org","path":"kv","auth":{"tokenSecretRef":{"name":"t"}}}}}});
        let stocks = Stocks {
            external: vec![
                ("ClusterSecretStore", vec![store]),
                ("ExternalSecret", vec![external, json!({})]),
            ],
            ..Stocks::default()
        };
        let made = Shelves::of(stocks, std::iter::empty());
        let names: Vec<&String> = made.all["shop/db"].upstream.iter().collect();
        let expected = [
            "SecretStore other: prod/more/*",
            "vault https://(hidden)@vault.example.org kv: prod/all",
            "vault https://(hidden)@vault.example.org kv: prod/db#password",
        ];
        assert_eq!(names, expected);
        assert_ne!(made.notes, Notes::default());
    }
}
