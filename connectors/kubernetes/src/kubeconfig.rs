//! A context of a kubeconfig: which server, which CA, and what its user signs in with.
//!
//! It promises that no program is run (`exec`, `auth-provider`), that nothing in the file turns
//! verification off, and that no text of the file but names and paths stands in a sentence.

use crate::error::SERVER;
use crate::login::Login;
use crate::settings::DESCRIPTOR;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lastkey_contract::{ConnectorError, Secret};
use lastkey_http::Origin;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file that is read: a kubeconfig of a thousand clusters is smaller.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Contexts that a sentence names at most.
const NAMED: usize = 20;

/// Where a context stands, as the settings say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubeconfig {
    pub file: PathBuf,
    /// The file's current one where None.
    pub context: Option<String>,
}

/// A context, found.
pub struct Context {
    pub origin: Origin,
    /// PEM.
    pub ca: Option<Vec<u8>>,
    file: PathBuf,
    user: String,
    fields: Fields,
}

/// What stands in one cluster, user or context: values by their paths.
type Fields = BTreeMap<String, Secret>;

/// What of the file counts.
#[derive(Default)]
struct Parsed {
    current: Option<String>,
    /// By the list and the place in it.
    all: BTreeMap<(String, usize), Fields>,
}

impl Kubeconfig {
    /// Reads the file and finds the context.
    pub fn open(&self) -> Result<Context, ConnectorError> {
        let text = Zeroizing::new(read(&self.file, "the kubeconfig")?);
        let text = std::str::from_utf8(&text).map_err(|_| self.odd())?;
        self.understood(text)
    }

    fn odd(&self) -> ConnectorError {
        DESCRIPTOR.invalid(
            format!("the kubeconfig `{}` is not understood", self.file.display()),
            "give a file that `kubectl config view --kubeconfig FILE` takes",
        )
    }

    fn understood(&self, text: &str) -> Result<Context, ConnectorError> {
        let mut parsed = Parsed::default();
        lastkey_yaml::leaves(text, |path, _, value| parsed.take(path, value))
            .map_err(|lastkey_yaml::NotUnderstood| self.odd())?;
        self.found(parsed)
    }

    fn found(&self, mut parsed: Parsed) -> Result<Context, ConnectorError> {
        let shown = self.file.display();
        let known = parsed.names("contexts");
        let known = match known.is_empty() {
            true => "it has none".to_owned(),
            false => format!("contexts: {}", known.join(", ")),
        };
        let wanted = self.context.clone().or(parsed.current.take());
        let name = wanted.ok_or_else(|| {
            let message = format!("the kubeconfig `{shown}` has no current context");
            DESCRIPTOR.invalid(message, format!("name one with context=NAME; {known}"))
        })?;
        let context = parsed.named("contexts", &name).ok_or_else(|| {
            let message = format!("the kubeconfig `{shown}` has no context `{name}`");
            DESCRIPTOR.invalid(message, known)
        })?;
        let part = |field: &str, list: &'static str| {
            let named = context.get(field).map(Secret::expose).unwrap_or_default();
            (named.to_owned(), parsed.named(list, named).cloned())
        };
        let (cluster, fields) = part("context.cluster", "clusters");
        let fields = fields.ok_or_else(|| {
            let message = format!(
                "the context `{name}` names the cluster `{cluster}`, which the kubeconfig `{shown}` does not have"
            );
            DESCRIPTOR.invalid(message, "name another context, or give address and ca_file")
        })?;
        let (origin, ca) = self.cluster(&cluster, &fields)?;
        let (user, fields) = part("context.user", "users");
        Ok(Context {
            origin,
            ca,
            file: self.file.clone(),
            user,
            fields: fields.unwrap_or_default(),
        })
    }

    fn cluster(
        &self,
        name: &str,
        fields: &Fields,
    ) -> Result<(Origin, Option<Vec<u8>>), ConnectorError> {
        let says = |field: &str| fields.get(field).map(Secret::expose);
        let refused = |what: &str, hint: &str| {
            let message = format!("the cluster `{name}` of the kubeconfig {what}");
            Err(DESCRIPTOR.invalid(message, hint))
        };
        if says("cluster.insecure-skip-tls-verify").is_some_and(|value| value != "false") {
            return refused(
                "turns verification of its certificate off, which Lastkey never does",
                "give the cluster's CA with certificate-authority, or with ca_file",
            );
        }
        if says("cluster.tls-server-name").is_some_and(|value| !value.is_empty()) {
            return refused(
                "wants another name in the certificate than in the address",
                "give an address that the certificate carries",
            );
        }
        if says("cluster.proxy-url").is_some_and(|value| !value.is_empty()) {
            return refused(
                "is reached through a proxy, and Lastkey uses none",
                "give an address that is reached without one",
            );
        }
        let server = says("cluster.server").unwrap_or_default();
        let origin = match SERVER.origin(server)? {
            (origin, "") => origin,
            (_, _) => return Err(SERVER.not_an_address(server)),
        };
        let ca = part(&self.file, fields, "cluster.certificate-authority")?;
        Ok((origin, ca.map(|pem| pem.to_vec())))
    }
}

impl Context {
    /// The certificate of the user, in PEM.
    pub fn certificate(&self) -> Result<Option<Zeroizing<Vec<u8>>>, ConnectorError> {
        part(&self.file, &self.fields, "user.client-certificate")
    }

    /// What the user signs in with. What would need a program, or is no way in any more, is refused.
    pub fn login(&self) -> Result<Login, ConnectorError> {
        let user = &self.user;
        let instead = "give a token with --secret-file FILE; the server and its CA are taken from the context all the same";
        let refused = |what: &str| {
            let message = format!("the user `{user}` of the kubeconfig {what}");
            Err(DESCRIPTOR.invalid(message, instead))
        };
        let says = |field: &str| self.fields.keys().any(|key| key == field);
        let below = |field: &str| self.fields.keys().any(|key| key.starts_with(field));
        if below("user.exec.") {
            return refused("signs in by running a program (exec), and Lastkey runs none");
        }
        if below("user.auth-provider.") {
            return refused(
                "signs in through an auth provider, which Kubernetes itself has given up",
            );
        }
        if says("user.username") || says("user.password") {
            return refused("signs in with a name and a password, which API servers take no more");
        }
        if says("user.as") || below("user.as-") {
            return refused("acts as somebody else, and Lastkey reads as itself only");
        }
        let of_file = |name: &Secret| {
            let path = beside(&self.file, name.expose());
            read(&path, "the token file").map(|bytes| {
                let bytes = Zeroizing::new(bytes);
                Secret::new(String::from_utf8_lossy(&bytes).trim().to_owned())
            })
        };
        let token = match self.fields.get("user.tokenFile") {
            Some(name) => Some(of_file(name)?),
            None => self.fields.get("user.token").cloned(),
        };
        let certificate = self.certificate()?;
        let key = part(&self.file, &self.fields, "user.client-key")?;
        match (token, certificate, key) {
            (token, Some(certificate), Some(key)) => {
                Login::certificate(&certificate, &key).map(|login| login.with(token))
            }
            (None, Some(_), None) => refused("has a certificate without its private key"),
            (Some(token), _, _) => Ok(Login::token(token)),
            (None, None, _) => refused("has nothing to sign in with"),
        }
    }
}

impl Parsed {
    fn take(&mut self, path: &[String], value: &str) {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["current-context"] => {
                self.current = Some(value.to_owned()).filter(|name| !name.is_empty());
            }
            [list @ ("clusters" | "contexts" | "users"), at, rest @ ..] => {
                if let Ok(at) = at.parse() {
                    let fields = self.all.entry(((*list).to_owned(), at)).or_default();
                    fields.insert(rest.join("."), Secret::new(value.to_owned()));
                }
            }
            _ => {}
        }
    }

    fn of(&self, list: &'static str) -> impl Iterator<Item = &Fields> {
        let all = self.all.iter().filter(move |((of, _), _)| of == list);
        all.map(|(_, fields)| fields)
    }

    fn named(&self, list: &'static str, name: &str) -> Option<&Fields> {
        let mut all = self.of(list);
        all.find(|fields| fields.get("name").is_some_and(|own| own.expose() == name))
    }

    fn names(&self, list: &'static str) -> Vec<String> {
        let names = self.of(list).filter_map(|fields| fields.get("name"));
        names
            .map(|name| name.expose().to_owned())
            .take(NAMED)
            .collect()
    }
}

/// PEM that stands in the file (`FIELD-data`, in base64) or in a file that it names (`FIELD`).
fn part(
    file: &Path,
    fields: &Fields,
    field: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, ConnectorError> {
    if let Some(data) = fields.get(&format!("{field}-data")) {
        let data = STANDARD.decode(data.expose().trim()).map_err(|_| {
            let name = field.rsplit('.').next().unwrap_or_default();
            DESCRIPTOR.invalid(
                format!("`{name}-data` of the kubeconfig is not in base64"),
                "write the kubeconfig anew, or name a file",
            )
        })?;
        return Ok(Some(Zeroizing::new(data)));
    }
    match fields.get(field) {
        None => Ok(None),
        Some(name) => {
            let what = "a file that the kubeconfig names";
            let bytes = read(&beside(file, name.expose()), what)?;
            Ok(Some(Zeroizing::new(bytes)))
        }
    }
}

/// A path as the kubeconfig means it: from its own folder.
fn beside(file: &Path, name: &str) -> PathBuf {
    match file.parent() {
        Some(folder) => folder.join(name),
        None => PathBuf::from(name),
    }
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, ConnectorError> {
    let shown = path.display();
    let unusable = |why: String| {
        DESCRIPTOR.invalid(
            format!("{what} `{shown}` cannot be read: {why}"),
            "check the path, and that this program may read the file",
        )
    };
    let file = std::fs::File::open(path).map_err(|e| unusable(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unusable(e.to_string()))?;
    match bytes.len() as u64 > LARGEST {
        true => Err(unusable("it is larger than 4 MB".to_owned())),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
