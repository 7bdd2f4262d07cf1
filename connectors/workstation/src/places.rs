//! Files that are known for holding credentials, by their names and the folders they lie in.

use std::path::Path;

/// How the fields of a known file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name = value`, `name: value`, `export NAME=value`, sections in brackets.
    Lines,
    Json,
    Yaml,
    /// `machine … login … password …`
    Netrc,
    /// `host:port:database:user:password`
    Pgpass,
    /// An address with a password in each line.
    Addresses,
    /// One secret is all that the file holds.
    Whole,
    /// A store of keys that is no text: the file itself is the place.
    Store,
    /// A public key in each line; each opens the account whose file it is.
    Authorized,
}

/// A known file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The word of the rule.
    pub word: &'static str,
    pub form: Form,
}

const fn place(word: &'static str, form: Form) -> Option<Place> {
    Some(Place { word, form })
}

/// What a file is known for, by its path below the top (or below `/`).
pub fn known(path: &Path) -> Option<Place> {
    let parts: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().to_lowercase())
        .collect();
    let name = parts.last()?.as_str();
    let above = |n: usize| {
        let at = parts.len().checked_sub(n + 1);
        at.and_then(|at| parts.get(at)).map_or("", String::as_str)
    };
    let ends = |end: &str| name.ends_with(end);
    match (above(2), above(1), name) {
        (_, ".aws", "credentials" | "config") => place("aws-profile", Form::Lines),
        ("sso" | "cli", "cache", _) if ends(".json") && parts.iter().any(|p| p == ".aws") => {
            place("aws-session-cache", Form::Json)
        }
        (_, _, "application_default_credentials.json" | "adc.json") => {
            place("gcp-credentials", Form::Json)
        }
        (_, ".azure", "accesstokens.json" | "msal_token_cache.json" | "azureprofile.json") => {
            place("azure-profile", Form::Json)
        }
        (_, ".azure", "service_principal_entries.json") => place("azure-profile", Form::Json),
        (_, ".kube", "config") | (_, _, "kubeconfig" | "admin.conf" | "kubelet.conf") => {
            place("kubeconfig", Form::Yaml)
        }
        (_, _, name) if name.ends_with(".kubeconfig") => place("kubeconfig", Form::Yaml),
        (_, ".docker", "config.json") | (_, "containers", "auth.json") => {
            place("docker-config", Form::Json)
        }
        (_, _, ".dockercfg" | ".dockerconfigjson") => place("docker-config", Form::Json),
        (_, _, ".netrc" | "_netrc") => place("netrc", Form::Netrc),
        (_, _, ".pgpass" | "pgpass.conf") => place("pgpass", Form::Pgpass),
        (_, _, ".npmrc" | ".yarnrc") => place("npmrc", Form::Lines),
        (_, _, ".yarnrc.yml") => place("npmrc", Form::Yaml),
        (_, _, ".pypirc" | "pip.conf") => place("pypirc", Form::Lines),
        (_, ".cargo", "credentials" | "credentials.toml") => {
            place("cargo-credentials", Form::Lines)
        }
        (_, ".gem", "credentials") => place("gem-credentials", Form::Yaml),
        (_, ".composer" | "composer", "auth.json") => place("composer-credentials", Form::Json),
        (_, ".m2", "settings.xml") => None,
        (_, _, ".git-credentials") | (_, "git", "credentials") => {
            place("git-credentials", Form::Addresses)
        }
        (_, "gh", "hosts.yml") => place("gh-hosts", Form::Yaml),
        (_, _, "hub") if above(1) == ".config" => place("gh-hosts", Form::Yaml),
        (_, "glab-cli", "config.yml") => place("glab-config", Form::Yaml),
        (_, _, ".vault-token") => place("vault-token-file", Form::Whole),
        (_, ".terraform.d", "credentials.tfrc.json") => place("terraform-credentials", Form::Json),
        (_, _, ".terraformrc" | "terraform.rc") => place("terraform-credentials", Form::Lines),
        (_, _, name) if name.ends_with(".tfstate") || name.ends_with(".tfstate.backup") => {
            place("terraform-state", Form::Json)
        }
        (_, _, name) if name.ends_with(".tfvars") => place("terraform-variables", Form::Lines),
        (_, _, name) if name.ends_with(".tfvars.json") => place("terraform-variables", Form::Json),
        (_, _, "authorized_keys" | "authorized_keys2") => {
            place("authorized-keys", Form::Authorized)
        }
        (
            _,
            _,
            ".my.cnf" | ".mylogin.cnf" | ".s3cfg" | ".boto" | ".passwd-s3fs" | "rclone.conf",
        ) => place("client-configuration", Form::Lines),
        (_, _, ".env" | ".envrc" | "env.list") => place("env-file", Form::Lines),
        (_, _, name) if is_env(name) => place("env-file", Form::Lines),
        (_, _, ".gitlab-ci.yml" | "bitbucket-pipelines.yml" | ".travis.yml" | "appveyor.yml")
        | (_, _, "azure-pipelines.yml" | ".drone.yml" | "cloudbuild.yaml" | "buildspec.yml")
        | (_, ".circleci", "config.yml") => place("ci-file", Form::Yaml),
        (".github", "workflows", name) if name.ends_with(".yml") || name.ends_with(".yaml") => {
            place("ci-file", Form::Yaml)
        }
        (_, _, name) if name.starts_with("jenkinsfile") => place("ci-file", Form::Lines),
        (_, _, name) if is_compose(name) => place("compose-file", Form::Yaml),
        (_, _, name) if is_application(name, ".yml") || is_application(name, ".yaml") => {
            place("application-settings", Form::Yaml)
        }
        (_, _, name) if is_application(name, ".properties") => {
            place("application-settings", Form::Lines)
        }
        (_, _, "appsettings.json" | "local.settings.json") => {
            place("application-settings", Form::Json)
        }
        (_, _, name) if is_store(name) => place("key-store", Form::Store),
        (_, _, _) => None,
    }
}

/// `.env.production`, `prod.env`; samples hold nothing.
fn is_env(name: &str) -> bool {
    let sample = ["example", "sample", "template", "dist", "schema"];
    (name.starts_with(".env.") || name.ends_with(".env"))
        && !sample.iter().any(|word| name.contains(word))
}

fn is_compose(name: &str) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
}

fn is_application(name: &str, end: &str) -> bool {
    name.ends_with(end) && (name.starts_with("application") || name.starts_with("bootstrap"))
}

fn is_store(name: &str) -> bool {
    [
        ".jks",
        ".p12",
        ".pfx",
        ".keystore",
        ".jceks",
        ".bcfks",
        ".kdbx",
        ".ppk",
    ]
    .iter()
    .any(|end| name.ends_with(end) && name.len() > end.len())
        || name == ".keystore"
}

/// Folders of a home folder that hold copies of what others publish, what is thrown away, and
/// what programs keep for speed. They are left out of a scan of a home folder, and that is said.
pub fn passing(path: &Path) -> bool {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let Some(name) = parts.last() else {
        return false;
    };
    let above = parts.len().checked_sub(2).and_then(|at| parts.get(at));
    matches!(
        (above.map_or("", String::as_str), name.as_str()),
        (
            _,
            ".cache" | "node_modules" | ".rustup" | "__pycache__" | ".Trash" | ".npm" | ".nvm"
        ) | (".local/share" | "share", "Trash")
            | (".cargo", "registry" | "git")
            | ("Library", "Caches")
            | (".m2", "repository")
            | (".gradle", "caches")
            | ("go", "pkg")
            | ("Local", "Temp")
    )
}

/// Folders without text of people: the packed history of a repository, and what a kernel shows
/// as files. They are left out of every scan, and that is said.
pub fn no_files(below: &Path, whole: &Path) -> bool {
    let mut parts = below.components().rev().map(|part| part.as_os_str());
    let (name, above) = (parts.next(), parts.next());
    let packed = above.is_some_and(|above| above == ".git")
        && name.is_some_and(|name| name == "objects" || name == "lfs");
    let kernel = ["/proc", "/sys", "/dev"]
        .iter()
        .any(|top| whole == Path::new(top));
    packed || kernel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, word: Option<&str>) {
        assert_eq!(known(Path::new(path)).map(|p| p.word), word, "{path}");
    }

    #[test]
    fn places_are_known_by_name_and_folder() {
        for (path, word) in [
            (".aws/credentials", "aws-profile"),
            (
                ".config/gcloud/application_default_credentials.json",
                "gcp-credentials",
            ),
            (".azure/msal_token_cache.json", "azure-profile"),
            (".kube/config", "kubeconfig"),
            ("etc/kubernetes/admin.conf", "kubeconfig"),
            (".docker/config.json", "docker-config"),
            (".netrc", "netrc"),
            (".pgpass", "pgpass"),
            ("app/.npmrc", "npmrc"),
            (".pypirc", "pypirc"),
            (".git-credentials", "git-credentials"),
            (".config/gh/hosts.yml", "gh-hosts"),
            (".vault-token", "vault-token-file"),
            ("infra/terraform.tfstate", "terraform-state"),
            ("infra/prod.tfvars", "terraform-variables"),
            (".ssh/authorized_keys", "authorized-keys"),
            ("app/.env", "env-file"),
            ("app/.env.production", "env-file"),
            (".gitlab-ci.yml", "ci-file"),
            (".github/workflows/ci.yml", "ci-file"),
            ("Jenkinsfile", "ci-file"),
            ("server.JKS", "key-store"),
            ("id.p12", "key-store"),
            ("docker-compose.override.yml", "compose-file"),
            (
                "src/main/resources/application-prod.properties",
                "application-settings",
            ),
        ] {
            check(path, Some(word));
        }
        for path in [
            "credentials",
            "aws/credentials",
            ".env.example",
            "environment",
            "workflows/ci.yml",
            "config.json",
            "hosts.yml",
            "p12",
            ".p12",
            "README.md",
            "terraform.tf",
        ] {
            check(path, None);
        }
    }
}
