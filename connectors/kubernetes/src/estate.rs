//! The cluster as it is read: each list once, then kept for as long as the session lives.
//!
//! A list is of one moment; the lists follow one another within seconds. What is read by the pages
//! of one session is never a mix of an earlier and a later list of one sort.

use crate::api::{Api, Got, Hidden, Shape};
use crate::certificates::{Certified, certified};
use crate::needs::{EXTERNAL, Need, Sort, needs};
use crate::objects::{Group, Groups, SecretRow, SigningRequest, Workload};
use crate::settings::{Cluster, Secrets};
use crate::shelves::{Shelves, Stocks};
use crate::standing::{Lists, Shown, Standing};
use lastkey_contract::{ConnectorError, Kind, NoteKind, Notes};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// An open cluster.
pub struct Estate {
    pub api: Api,
    pub cluster: Cluster,
    standing: Option<Standing>,
    shelves: Option<Shelves>,
    lacks: BTreeMap<Kind, Notes>,
}

/// Everything that a page is made of.
pub struct Known<'a> {
    pub cluster: &'a Cluster,
    pub standing: &'a Standing,
    pub shelves: &'a Shelves,
}

impl Estate {
    pub fn new(api: Api, cluster: Cluster) -> Estate {
        Estate {
            api,
            cluster,
            standing: None,
            shelves: None,
            lacks: BTreeMap::new(),
        }
    }

    /// What lists did not show of a kind.
    pub fn lacks(&self, kind: Kind) -> Notes {
        self.lacks.get(&kind).cloned().unwrap_or_default()
    }

    /// Everything, listed where it is not yet.
    pub async fn known(&mut self) -> Result<Known<'_>, ConnectorError> {
        if self.standing.is_none() || self.shelves.is_none() {
            self.lacks.clear();
            let standing = self.read_standing().await?;
            let shelves = self.read_shelves(&standing).await?;
            self.standing = Some(standing);
            self.shelves = Some(shelves);
        }
        match (&self.standing, &self.shelves) {
            (Some(standing), Some(shelves)) => Ok(Known {
                cluster: &self.cluster,
                standing,
                shelves,
            }),
            (_, _) => Err(ConnectorError::new(
                lastkey_contract::ErrorKind::Bug,
                self.api.address(),
                "read the cluster",
                "what was read was not kept",
            )),
        }
    }

    fn lack(&mut self, need: &Need, say: impl Fn(&mut Notes)) {
        for kind in need.about {
            say(self.lacks.entry(*kind).or_default());
        }
    }

    /// One sort, of all namespaces that are read; None where something of it was not shown.
    async fn listed<T: DeserializeOwned>(
        &mut self,
        need: &Need,
        version: &str,
        shape: Shape,
    ) -> Result<(Vec<T>, bool), ConnectorError> {
        let operation = format!("list {}", need.resource);
        let namespaces: Vec<Option<String>> = match &self.cluster.namespaces {
            Some(only) if need.namespaced => only.iter().cloned().map(Some).collect(),
            Some(_) | None => vec![None],
        };
        let mut all = Vec::new();
        let mut whole = true;
        for namespace in namespaces {
            let path = need.path(version, namespace.as_deref());
            let example = namespace.clone().unwrap_or_else(|| "all".to_owned());
            match self.api.list::<T>(&path, shape, &operation).await? {
                Got::Found(list) => {
                    all.extend(list.items);
                    if list.short {
                        whole = false;
                        let reason = format!(
                            "the API server says that it holds more {} than it gave",
                            need.resource
                        );
                        self.lack(need, |notes| {
                            notes.add(NoteKind::Clipped, &reason, Some(example.clone()));
                        });
                    }
                }
                // A sort of external secrets that was never installed holds none.
                Got::Hidden(Hidden::Absent) if need.group == EXTERNAL => {}
                Got::Hidden(hidden) => {
                    whole = false;
                    self.lack(need, |notes| {
                        note_hidden(notes, hidden, need.resource, &example);
                    });
                }
            }
        }
        Ok((all, whole))
    }

    async fn read_standing(&mut self) -> Result<Standing, ConnectorError> {
        let mut lists = Lists::default();
        let mut shown = Shown {
            namespaces: self.cluster.namespaces.clone(),
            ..Shown::default()
        };
        for need in needs(Some(&self.cluster)) {
            let objects = Shape::Objects;
            match need.sort {
                Sort::ServiceAccounts => {
                    (lists.service_accounts, shown.service_accounts) =
                        self.listed(&need, need.version, objects).await?;
                }
                Sort::Roles => {
                    (lists.roles, shown.roles) = self.listed(&need, need.version, objects).await?;
                }
                Sort::ClusterRoles => {
                    (lists.cluster_roles, shown.cluster_roles) =
                        self.listed(&need, need.version, objects).await?;
                }
                Sort::RoleBindings => {
                    (lists.role_bindings, _) = self.listed(&need, need.version, objects).await?;
                }
                Sort::ClusterRoleBindings => {
                    (lists.cluster_role_bindings, _) =
                        self.listed(&need, need.version, objects).await?;
                }
                Sort::SigningRequests => {
                    lists.certificates = self.read_certificates(&need).await?;
                }
                Sort::Secrets
                | Sort::Pods
                | Sort::ReplicationControllers
                | Sort::DaemonSets
                | Sort::Deployments
                | Sort::ReplicaSets
                | Sort::StatefulSets
                | Sort::CronJobs
                | Sort::Jobs
                | Sort::ExternalSecrets
                | Sort::SecretStores
                | Sort::ClusterSecretStores => {}
            }
        }
        self.doubt_namespaces(&lists, shown.service_accounts);
        lists.shown = shown;
        Ok(Standing::of(lists))
    }

    /// A list of a namespace that is not there is an empty one: a name that is misspelt must not say
    /// that nothing is in it. Every namespace has a service account, which the cluster makes anew.
    fn doubt_namespaces(&mut self, lists: &Lists, whole: bool) {
        let Some(only) = self.cluster.namespaces.clone().filter(|_| whole) else {
            return;
        };
        let all = &lists.service_accounts;
        for name in only {
            if all.iter().any(|one| one.metadata.namespace() == name) {
                continue;
            }
            let reason = "the namespace has no service account, as one that is not there";
            for kind in crate::DESCRIPTOR.reads {
                let notes = self.lacks.entry(*kind).or_default();
                notes.add(NoteKind::Clipped, reason, Some(name.clone()));
            }
        }
    }

    async fn read_certificates(&mut self, need: &Need) -> Result<Vec<Certified>, ConnectorError> {
        let (requests, _) = self
            .listed::<SigningRequest>(need, need.version, Shape::Objects)
            .await?;
        let mut all = Vec::new();
        for request in &requests {
            match certified(request) {
                Ok(found) => all.extend(found),
                Err(_) => {
                    let reason = "a signed certificate was not understood";
                    let name = request.metadata.name.clone();
                    self.lack(need, |notes| {
                        notes.add(NoteKind::Clipped, reason, Some(name.clone()));
                    });
                }
            }
        }
        Ok(all)
    }

    async fn read_shelves(&mut self, standing: &Standing) -> Result<Shelves, ConnectorError> {
        let mut stocks = Stocks::default();
        let external = self.external_version().await?;
        for need in needs(Some(&self.cluster)) {
            match need.sort {
                Sort::Secrets => {
                    let (rows, whole) = self
                        .listed::<SecretRow>(&need, need.version, Shape::Table)
                        .await?;
                    let seen = rows.into_iter().map(SecretRow::seen).collect::<Vec<_>>();
                    // What a list that was cut lacks may be there all the same.
                    stocks.listed_whole = whole;
                    stocks.secrets = seen;
                }
                Sort::Pods
                | Sort::ReplicationControllers
                | Sort::DaemonSets
                | Sort::Deployments
                | Sort::ReplicaSets
                | Sort::StatefulSets
                | Sort::CronJobs
                | Sort::Jobs => {
                    let (list, _) = self
                        .listed::<Workload>(&need, need.version, Shape::Objects)
                        .await?;
                    stocks.workloads.push((need.word, list));
                }
                Sort::ExternalSecrets | Sort::SecretStores | Sort::ClusterSecretStores => {
                    let Some(version) = &external else {
                        continue;
                    };
                    let (list, _) = self.listed::<Value>(&need, version, Shape::Objects).await?;
                    stocks.external.push((need.word, list));
                }
                Sort::ServiceAccounts
                | Sort::Roles
                | Sort::ClusterRoles
                | Sort::RoleBindings
                | Sort::ClusterRoleBindings
                | Sort::SigningRequests => {}
            }
        }
        if self.cluster.secrets == Secrets::Referenced {
            let reason = "Secrets are not listed, as configured: those that nothing names are not seen, nor types, ages and tokens";
            for kind in [Kind::Location, Kind::Reader, Kind::Credential] {
                let notes = self.lacks.entry(kind).or_default();
                notes.add(
                    NoteKind::Clipped,
                    reason,
                    Some("secrets=referenced".to_owned()),
                );
            }
        }
        let people = standing.people.iter();
        let services =
            people.filter_map(|(user, person)| Some((user.as_str(), person.service.as_ref()?)));
        Ok(Shelves::of(stocks, services))
    }

    /// The version of external secrets that the cluster serves; None where it serves none.
    async fn external_version(&mut self) -> Result<Option<String>, ConnectorError> {
        let wanted = needs(Some(&self.cluster));
        let Some(need) = wanted.into_iter().find(|need| need.group == EXTERNAL) else {
            return Ok(None);
        };
        match self.groups().await? {
            Some(groups) => {
                let own = groups.into_iter().find(|group| group.name == EXTERNAL);
                Ok(own.map(|group| group.preferred_version.version))
            }
            None => {
                let reason = "this login may not look up whether the cluster has external secrets";
                self.lack(&need, |notes| {
                    notes.add(NoteKind::Clipped, reason, Some("/apis".to_owned()));
                });
                Ok(None)
            }
        }
    }

    /// Whether the cluster has external secrets; None where that is not told.
    pub async fn serves_external(&mut self) -> Result<Option<bool>, ConnectorError> {
        let groups = self.groups().await?;
        Ok(groups.map(|groups| groups.iter().any(|group| group.name == EXTERNAL)))
    }

    async fn groups(&mut self) -> Result<Option<Vec<Group>>, ConnectorError> {
        let operation = "look up what the cluster serves";
        Ok(match self.api.one::<Groups>("/apis", operation).await? {
            Got::Found(groups) => Some(groups.groups),
            Got::Hidden(Hidden::Refused | Hidden::Absent) => None,
        })
    }
}

/// Something that the cluster does not show: then absence cannot be claimed.
fn note_hidden(notes: &mut Notes, hidden: Hidden, what: &str, place: &str) {
    let reason = match hidden {
        Hidden::Refused => format!("this login may not list {what}"),
        Hidden::Absent => format!("the cluster does not serve {what}"),
    };
    notes.add(NoteKind::Clipped, &reason, Some(place.to_owned()));
}
