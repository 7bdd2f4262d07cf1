//! What is listed, and so the rights that reading needs: the one list behind the read, the check and
//! the cluster role.

use crate::settings::{Cluster, Part, Secrets};
use lastkey_contract::Kind;

/// A sort of object that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    ServiceAccounts,
    Roles,
    ClusterRoles,
    RoleBindings,
    ClusterRoleBindings,
    SigningRequests,
    Secrets,
    Pods,
    ReplicationControllers,
    DaemonSets,
    Deployments,
    ReplicaSets,
    StatefulSets,
    CronJobs,
    Jobs,
    ExternalSecrets,
    SecretStores,
    ClusterSecretStores,
}

/// How one sort is listed, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub sort: Sort,
    /// Empty for the core.
    pub group: &'static str,
    /// Empty where the cluster says which.
    pub version: &'static str,
    pub resource: &'static str,
    pub namespaced: bool,
    /// One object, as workloads are told: `Deployment`.
    pub word: &'static str,
    /// What is not seen without it.
    pub why: &'static str,
    /// The kinds that lack something without it.
    pub about: &'static [Kind],
    pub part: Option<Part>,
}

const RBAC: &str = "rbac.authorization.k8s.io";
/// The group of external secrets.
pub const EXTERNAL: &str = "external-secrets.io";
const RIGHTS: &[Kind] = &[
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Reader,
    Kind::Control,
];
const PLACES: &[Kind] = &[Kind::Location];

const fn workload(
    sort: Sort,
    group: &'static str,
    resource: &'static str,
    word: &'static str,
) -> Need {
    Need {
        sort,
        group,
        version: "v1",
        resource,
        namespaced: true,
        word,
        why: "what uses which Secret",
        about: &[Kind::Location, Kind::Reader],
        part: Some(Part::Workloads),
    }
}

const fn right(
    sort: Sort,
    resource: &'static str,
    namespaced: bool,
    word: &'static str,
    why: &'static str,
) -> Need {
    Need {
        sort,
        group: RBAC,
        version: "v1",
        resource,
        namespaced,
        word,
        why,
        about: RIGHTS,
        part: None,
    }
}

const fn external(
    sort: Sort,
    resource: &'static str,
    namespaced: bool,
    word: &'static str,
) -> Need {
    Need {
        sort,
        group: EXTERNAL,
        version: "",
        resource,
        namespaced,
        word,
        why: "in which store the value of a Secret stands",
        about: PLACES,
        part: Some(Part::ExternalSecrets),
    }
}

pub const ALL: [Need; 18] = [
    Need {
        sort: Sort::ServiceAccounts,
        group: "",
        version: "v1",
        resource: "serviceaccounts",
        namespaced: true,
        word: "ServiceAccount",
        why: "service accounts, and the Secrets that they pull images with",
        about: &[Kind::Account, Kind::Grant, Kind::Control, Kind::Location],
        part: None,
    },
    right(
        Sort::Roles,
        "roles",
        true,
        "Role",
        "what roles of a namespace allow",
    ),
    right(
        Sort::ClusterRoles,
        "clusterroles",
        false,
        "ClusterRole",
        "what cluster roles allow",
    ),
    right(
        Sort::RoleBindings,
        "rolebindings",
        true,
        "RoleBinding",
        "who holds a role in a namespace",
    ),
    right(
        Sort::ClusterRoleBindings,
        "clusterrolebindings",
        false,
        "ClusterRoleBinding",
        "who holds a role in the whole cluster",
    ),
    Need {
        sort: Sort::SigningRequests,
        group: "certificates.k8s.io",
        version: "v1",
        resource: "certificatesigningrequests",
        namespaced: false,
        word: "CertificateSigningRequest",
        why: "certificates of clients that were signed lately",
        about: &[
            Kind::Account,
            Kind::Entitlement,
            Kind::Grant,
            Kind::Credential,
            // who is named by a certificate alone is an account that others may act as
            Kind::Control,
        ],
        part: Some(Part::Certificates),
    },
    Need {
        sort: Sort::Secrets,
        group: "",
        version: "v1",
        resource: "secrets",
        namespaced: true,
        word: "Secret",
        why: "names, types and ages of Secrets",
        about: &[Kind::Credential, Kind::Location, Kind::Reader],
        part: None,
    },
    workload(Sort::Pods, "", "pods", "Pod"),
    workload(
        Sort::ReplicationControllers,
        "",
        "replicationcontrollers",
        "ReplicationController",
    ),
    workload(Sort::DaemonSets, "apps", "daemonsets", "DaemonSet"),
    workload(Sort::Deployments, "apps", "deployments", "Deployment"),
    workload(Sort::ReplicaSets, "apps", "replicasets", "ReplicaSet"),
    workload(Sort::StatefulSets, "apps", "statefulsets", "StatefulSet"),
    workload(Sort::CronJobs, "batch", "cronjobs", "CronJob"),
    workload(Sort::Jobs, "batch", "jobs", "Job"),
    external(
        Sort::ExternalSecrets,
        "externalsecrets",
        true,
        "ExternalSecret",
    ),
    external(Sort::SecretStores, "secretstores", true, "SecretStore"),
    external(
        Sort::ClusterSecretStores,
        "clustersecretstores",
        false,
        "ClusterSecretStore",
    ),
];

impl Need {
    /// The path of the list, of one namespace where it is given.
    pub fn path(&self, version: &str, namespace: Option<&str>) -> String {
        let base = match self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{}", self.resource),
            None => format!("{base}/{}", self.resource),
        }
    }
}

/// What is listed as configured; without settings, all that can be.
pub fn needs(cluster: Option<&Cluster>) -> Vec<Need> {
    let wanted = |need: &&Need| match cluster {
        None => true,
        Some(cluster) => {
            let secrets = need.sort != Sort::Secrets || cluster.secrets == Secrets::Listed;
            secrets && need.part.is_none_or(|part| cluster.reads(part))
        }
    };
    ALL.iter().filter(wanted).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stand_below_their_group_and_namespace() {
        let path = |sort, version, namespace| {
            let need = ALL.iter().find(|need| need.sort == sort).unwrap();
            need.path(version, namespace)
        };
        assert_eq!(path(Sort::Secrets, "v1", None), "/api/v1/secrets");
        assert_eq!(
            path(Sort::Jobs, "v1", Some("shop")),
            "/apis/batch/v1/namespaces/shop/jobs"
        );
        assert_eq!(
            path(Sort::ClusterRoles, "v1", Some("shop")),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        );
    }
}
