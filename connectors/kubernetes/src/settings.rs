//! Settings of a cluster, parsed once into a [`Cluster`].

use crate::error::SERVER;
use crate::kubeconfig::Kubeconfig;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName, listed,
};
use lastkey_http::Origin;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "kubernetes",
    title: "Kubernetes cluster",
    summary: "Service accounts, users and groups, roles and who holds them, the names of Secrets, who can read each and what uses it, never a value.",
    settings: &[
        SettingSpec::text(
            "address",
            "Address",
            "https://host[:port] of the API server, as `kubectl cluster-info` shows it; or give a kubeconfig",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "kubeconfig",
            "Kubeconfig",
            "in place of an address: path of a kubeconfig file, whose context says the server, its CA and, where no secret is given, the login",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "context",
            "Context",
            "name of the context of the kubeconfig; its current one where empty",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as prod-cluster",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of the cluster, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "namespaces",
            "Namespaces",
            "names of the namespaces to read, with commas between; all where empty",
            Must::No,
            "",
        ),
        SettingSpec {
            key: "secrets",
            label: "Secrets",
            help: "listed to read the list of Secrets without their values, which takes a right that would give the values too; referenced to take only what workloads and service accounts name",
            required: false,
            default: "listed",
            choices: &["listed", "referenced"],
            only_with: &[],
        },
        SettingSpec::text(
            "leave_out",
            "Parts to leave out",
            "what is not read, with commas between: certificates, external_secrets, workloads",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for one answer of the API server, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Optional,
    secret_label: "Token, or certificate with key",
    reads: &[
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
    ],
};

/// A part that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Certificates,
    ExternalSecrets,
    Workloads,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Certificates, Part::ExternalSecrets, Part::Workloads];

    /// The word of `leave_out`.
    pub fn word(self) -> &'static str {
        match self {
            Part::Certificates => "certificates",
            Part::ExternalSecrets => "external_secrets",
            Part::Workloads => "workloads",
        }
    }
}

/// How it is known which Secrets there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// From their list, without values.
    Listed,
    /// From what names them.
    Referenced,
}

/// Where the API server is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    Address(Origin),
    Kubeconfig(Kubeconfig),
}

impl Server {
    /// For sentences, before the server is known.
    pub fn shown(&self) -> String {
        match self {
            Server::Address(origin) => origin.address(),
            Server::Kubeconfig(from) => from.file.display().to_string(),
        }
    }

    fn from_settings(settings: &Settings) -> Result<Server, ConnectorError> {
        let text = |key: &str| settings.get(key).map(|value| value.trim().to_owned());
        match (text("address"), text("kubeconfig"), text("context")) {
            (Some(_), Some(_), _) => Err(DESCRIPTOR.invalid(
                "`address` and `kubeconfig` both say which server it is",
                "give one of the two",
            )),
            (_, None, Some(_)) => Err(DESCRIPTOR.invalid(
                "`context` has no meaning without a kubeconfig",
                "name the file with kubeconfig=FILE",
            )),
            (None, Some(file), context) => Ok(Server::Kubeconfig(Kubeconfig {
                file: PathBuf::from(file),
                context,
            })),
            (Some(address), None, None) => match SERVER.origin(&address)? {
                (origin, "") => Ok(Server::Address(origin)),
                (_, _) => Err(SERVER.not_an_address(&address)),
            },
            (None, None, None) => Err(DESCRIPTOR.invalid(
                "`address` is missing",
                "give it with --set address=https://host:6443, or name a file with --set kubeconfig=FILE",
            )),
        }
    }
}

/// A configured cluster, without its login.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub server: Server,
    pub ca_file: Option<PathBuf>,
    pub system: SystemName,
    /// None reads all.
    pub namespaces: Option<BTreeSet<String>>,
    pub secrets: Secrets,
    pub leave_out: BTreeSet<Part>,
    pub timeout: Duration,
}

impl Cluster {
    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Cluster, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let server = Server::from_settings(settings)?;
        let system = settings.system(&DESCRIPTOR, "prod-cluster")?;
        let namespaces = text("namespaces");
        let namespaces: BTreeSet<String> = listed(&namespaces).map(str::to_owned).collect();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if let Some(odd) = namespaces.iter().find(|name| !name.chars().all(plain)) {
            return Err(DESCRIPTOR.invalid(
                format!("`{odd}` is not the name of a namespace"),
                "write names as `kubectl get namespaces` shows them, with commas between",
            ));
        }
        Ok(Cluster {
            server,
            ca_file: settings.get("ca_file").map(PathBuf::from),
            system,
            namespaces: Some(namespaces).filter(|names| !names.is_empty()),
            secrets: match text("secrets").as_str() {
                "referenced" => Secrets::Referenced,
                _ => Secrets::Listed,
            },
            leave_out: DESCRIPTOR.left_out(&text("leave_out"), &Part::ALL, |part| part.word())?,
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }

    /// Whether a part is to be read.
    pub fn reads(&self, part: Part) -> bool {
        !self.leave_out.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Cluster, ConnectorError> {
        let mut settings = Settings::default();
        for (key, value) in [
            ("address", "https://k.example.org:6443"),
            ("system", "prod"),
        ]
        .iter()
        .chain(pairs)
        {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        Cluster::from_settings(&settings)
    }

    #[test]
    fn a_cluster_is_read_from_settings() {
        let made = parsed(&[
            ("namespaces", "shop, site"),
            ("secrets", "referenced"),
            ("leave_out", "workloads"),
        ]);
        let made = made.unwrap();
        assert_eq!(made.server.shown(), "https://k.example.org:6443");
        let names: Vec<String> = made.namespaces.clone().unwrap().into_iter().collect();
        assert_eq!(names, ["shop", "site"]);
        assert_eq!(made.secrets, Secrets::Referenced);
        assert!(!made.reads(Part::Workloads) && made.reads(Part::Certificates));
    }

    #[test]
    fn what_cannot_count_is_refused_with_what_to_write() {
        for pairs in [
            [("address", "http://k.example.org")],
            [("address", "https://k.example.org/k8s/clusters/c-1")],
            [("address", "k.example.org")],
            [("system", "Prod Cluster")],
            [("namespaces", "shop site")],
            [("secrets", "all")],
            [("leave_out", "everything")],
            [("timeout", "0")],
            [("address", "")],
            [("kubeconfig", "/home/ann/.kube/config")],
            [("context", "prod")],
        ] {
            let error = parsed(&pairs).unwrap_err();
            assert!(
                error.hint.is_some() && error.kind.is_of_settings(),
                "{pairs:?}"
            );
        }
        let error = parsed(&[("address", "https://ann:hunter2@k")]).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
