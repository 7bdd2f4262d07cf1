//! Profiles of the AWS configuration files: which keys, which SSO sign-in and which roles one means.
//!
//! Read as the AWS tools read them, but for what would surprise: no program is run, no variable of
//! the environment and no service of the machine is asked.

use crate::settings::{Assumed, DESCRIPTOR, role};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use lastkey_contract::{ConnectorError, ErrorKind};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a profile begins with.
pub enum Base {
    Keys {
        id: String,
        secret: Zeroizing<String>,
        token: Option<Zeroizing<String>>,
    },
    Sso {
        token: Zeroizing<String>,
        region: String,
        account: String,
        role: String,
    },
}

/// Roles deeper than this are a circle.
const DEEPEST: usize = 8;

/// How to sign in by a profile: the base, and the roles to assume one after the other.
pub async fn read(
    name: &str,
    folder: Option<&Path>,
) -> Result<(Base, Vec<Assumed>), ConnectorError> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => home()?,
    };
    let config = text(&folder.join("config")).await?;
    let credentials = text(&folder.join("credentials")).await?;
    if config.is_none() && credentials.is_none() {
        return Err(DESCRIPTOR.invalid(
            format!("there are no AWS files in `{}`", folder.display()),
            "name the folder with aws_folder, or sign in with keys",
        ));
    }
    let files = EnvConfigFiles::builder()
        .with_contents(
            EnvConfigFileKind::Config,
            config.unwrap_or_default().as_str(),
        )
        .with_contents(
            EnvConfigFileKind::Credentials,
            credentials.unwrap_or_default().as_str(),
        )
        .build();
    // No environment: AWS_PROFILE and the like would say something else than the settings.
    let odd = || {
        DESCRIPTOR.invalid(
            format!(
                "the AWS files in `{}` cannot be understood",
                folder.display()
            ),
            "look at them with `aws configure list-profiles`",
        )
    };
    let source = source::load(&Env::from_slice(&[]), &Fs::real(), &files)
        .await
        .map_err(|_| odd())?;
    let sections = EnvConfigSections::parse(source).map_err(|_| odd())?;
    follow(&sections, name, &folder).await
}

fn home() -> Result<PathBuf, ConnectorError> {
    std::env::home_dir()
        .map(|home| home.join(".aws"))
        .ok_or_else(|| {
            DESCRIPTOR.invalid(
                "this user has no home folder",
                "name the folder with aws_folder",
            )
        })
}

/// None where there is no such file.
async fn text(path: &Path) -> Result<Option<Zeroizing<String>>, ConnectorError> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DESCRIPTOR.invalid(
            format!("`{}` cannot be read: {error}", path.display()),
            "check the file and who may read it",
        )),
    }
}

async fn follow(
    sections: &EnvConfigSections,
    name: &str,
    folder: &Path,
) -> Result<(Base, Vec<Assumed>), ConnectorError> {
    let mut roles = Vec::new();
    let mut at = name.to_owned();
    // A profile whose source is itself takes its own keys.
    let mut own_keys = false;
    for _ in 0..DEEPEST {
        let profile = sections.get_profile(&at).ok_or_else(|| {
            DESCRIPTOR.invalid(
                format!("there is no profile `{at}`"),
                "write its name as `aws configure list-profiles` shows it",
            )
        })?;
        let role_arn = profile.get("role_arn").filter(|_| !own_keys);
        let Some(arn) = role_arn else {
            roles.reverse();
            return Ok((base(sections, profile, &at, folder).await?, roles));
        };
        if profile.get("mfa_serial").is_some() {
            return Err(not_used(&at, "wants a code of an MFA device", "mfa_serial"));
        }
        let given = |key: &str| profile.get(key).map(str::to_owned);
        roles.push(role(arn, given("external_id"), given("role_session_name"))?);
        let Some(next) = profile.get("source_profile") else {
            let what = "assumes a role with what the machine it runs on is";
            return Err(not_used(
                &at,
                what,
                "credential_source, web_identity_token_file",
            ));
        };
        own_keys = next == at;
        at = next.to_owned();
    }
    Err(DESCRIPTOR.invalid(
        format!("the roles of profile `{name}` go round in a circle"),
        "look at source_profile in the AWS files",
    ))
}

fn not_used(profile: &str, what: &str, keys: &str) -> ConnectorError {
    DESCRIPTOR.invalid(
        format!("profile `{profile}` {what} ({keys}), which is not used"),
        "name a profile with keys, with SSO, or with a role and a source_profile",
    )
}

async fn base(
    sections: &EnvConfigSections,
    profile: &Profile,
    name: &str,
    folder: &Path,
) -> Result<Base, ConnectorError> {
    if let (Some(id), Some(secret)) = (
        profile.get("aws_access_key_id"),
        profile.get("aws_secret_access_key"),
    ) {
        let token = profile.get("aws_session_token");
        return Ok(Base::Keys {
            id: id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            token: token.map(|token| Zeroizing::new(token.to_owned())),
        });
    }
    let session = profile
        .get("sso_session")
        .and_then(|name| sections.sso_session(name));
    let of_sso = |key: &str| {
        let own = profile.get(key);
        own.or_else(|| session.and_then(|session| session.get(key)))
            .map(str::to_owned)
    };
    let sso = (
        of_sso("sso_start_url"),
        of_sso("sso_region"),
        profile.get("sso_account_id"),
        profile.get("sso_role_name"),
    );
    if let (Some(start), Some(region), Some(account), Some(role)) = sso {
        return Ok(Base::Sso {
            token: sso_token(&folder.join("sso").join("cache"), &start, name).await?,
            region,
            account: account.to_owned(),
            role: role.to_owned(),
        });
    }
    match profile.get("credential_process") {
        Some(_) => Err(not_used(name, "runs a program for its keys", "credential_process")),
        None => Err(DESCRIPTOR.invalid(
            format!("profile `{name}` has neither keys nor a whole SSO sign-in"),
            "it needs aws_access_key_id and aws_secret_access_key, or sso_session with sso_account_id and sso_role_name",
        )),
    }
}

/// What `aws sso login` leaves behind. Other files of the folder have no start address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cached {
    #[serde(default)]
    start_url: String,
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_at: String,
}

/// The token of the latest sign-in. Whether it still holds is AWS's to say.
async fn sso_token(
    folder: &Path,
    start: &str,
    profile: &str,
) -> Result<Zeroizing<String>, ConnectorError> {
    let missing = || {
        ConnectorError::new(
            ErrorKind::AuthRejected,
            DESCRIPTOR.kind,
            "sign in",
            format!("there is no sign-in of `aws sso login` for profile `{profile}`"),
        )
        .hint(format!(
            "run `aws sso login --profile {profile}`, then try again"
        ))
    };
    let mut files = tokio::fs::read_dir(folder).await.map_err(|_| missing())?;
    let mut latest: Option<(String, Zeroizing<String>)> = None;
    while let Ok(Some(entry)) = files.next_entry().await {
        let Ok(Some(text)) = text(&entry.path()).await else {
            continue;
        };
        let Ok(cached) = serde_json::from_str::<Cached>(&text) else {
            continue;
        };
        let token = Zeroizing::new(cached.access_token);
        let same =
            cached.start_url.trim_end_matches(['/', '#']) == start.trim_end_matches(['/', '#']);
        let later = latest
            .as_ref()
            .is_none_or(|(ends, _)| *ends < cached.expires_at);
        if same && !token.is_empty() && later {
            latest = Some((cached.expires_at, token));
        }
    }
    latest.map(|(_, token)| token).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n\
        [profile reader]\nrole_arn = arn:aws:iam::111122223333:role/reader\nsource_profile = base\nexternal_id = x\n\
        [profile both]\nrole_arn = arn:aws:iam::111122223333:role/reader\nsource_profile = both\naws_access_key_id = AKIABOTH\naws_secret_access_key = canary-both\n\
        [profile round]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = about\n\
        [profile about]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = round\n\
        [profile program]\ncredential_process = /bin/keys\n\
        [profile machine]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Ec2InstanceMetadata\n\
        [profile code]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/x\n\
        [sso-session corp]\nsso_start_url = https://corp.example.org/start\nsso_region = eu-west-1\n\
        [profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n";
    const CREDENTIALS: &str =
        "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = canary-base\n";

    fn made(profile: &str) -> Result<(Base, Vec<Assumed>), ConnectorError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config"), CONFIG).unwrap();
        std::fs::write(folder.path().join("credentials"), CREDENTIALS).unwrap();
        let cache = folder.path().join("sso/cache");
        std::fs::create_dir_all(&cache).unwrap();
        for (name, token, ends) in [
            ("a", "old", "2026-01-01T00:00:00Z"),
            ("b", "new", "2026-02-01T00:00:00Z"),
        ] {
            let text = format!(
                r#"{{"startUrl":"https://corp.example.org/start#/","accessToken":"{token}","expiresAt":"{ends}"}}"#
            );
            std::fs::write(cache.join(format!("{name}.json")), text).unwrap();
        }
        std::fs::write(cache.join("client.json"), r#"{"clientId":"x"}"#).unwrap();
        let read = read(profile, Some(folder.path()));
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(read)
    }

    #[test]
    fn a_role_is_assumed_with_its_source() {
        let (base, roles) = made("reader").unwrap();
        assert!(matches!(base, Base::Keys { id, .. } if id == "AKIABASE"));
        assert_eq!(roles[0].external_id.as_deref(), Some("x"));
        let (base, roles) = made("both").unwrap();
        assert!(matches!(base, Base::Keys { id, .. } if id == "AKIABOTH"));
        assert_eq!(roles.len(), 1);
    }

    #[test]
    fn the_latest_sign_in_of_sso_counts() {
        let (base, _) = made("sso").unwrap();
        let Base::Sso {
            token,
            region,
            account,
            role,
        } = base
        else {
            panic!("not by SSO");
        };
        assert_eq!(
            [token.as_str(), &region, &account, &role],
            ["new", "eu-west-1", "111122223333", "Reader"]
        );
    }

    #[test]
    fn what_is_not_used_is_named() {
        for (profile, says) in [
            ("none", "no profile `none`"),
            ("default", "neither keys nor"),
            ("program", "runs a program"),
            ("machine", "the machine it runs on"),
            ("code", "MFA device"),
            ("round", "circle"),
        ] {
            let Err(error) = made(profile) else {
                panic!("{profile} is taken");
            };
            assert!(error.message.contains(says), "{error}");
            assert!(error.hint.is_some() && !format!("{error:?}").contains("canary"));
        }
    }
}
