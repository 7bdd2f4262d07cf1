//! The ready text for the vault's own administrator: a policy with the least rights, and the
//! commands that make a login with it.

use crate::needs::{self, Known};
use crate::settings::{SignIn, Vault};
use lastkey_contract::{Script, Settings};

/// The name of the policy and of the AppRole.
const READER: &str = "lastkey-reader";
/// The same for the reader of values.
const VALUES: &str = "lastkey-values";

/// Scripts for a vault as configured; settings that are not complete yet leave generic paths.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    let vault = Vault::from_settings(settings).ok();
    let vault = vault.as_ref();
    let needs = needs::needs(vault, Known::Nothing);
    let mount = match vault.map(|v| &v.sign_in) {
        Some(SignIn::AppRole { mount, .. }) => mount.as_str(),
        Some(SignIn::Token | SignIn::UserPass { .. }) | None => "approle",
    };
    let namespace = vault.map_or("", |v| v.namespace.as_str());
    let stores = needs::stores(vault, Known::Nothing);
    let generic = stores.iter().any(|(path, _)| path == "+/");
    let nested = match generic {
        true => {
            "# Stores whose path has more than one part (team/kv) need lines of their own:\n# name them in the setting `mounts` and take this text again.\n"
        }
        false => "",
    };
    let values: String = stores
        .iter()
        .map(|(mount, _)| {
            format!(
                "# values of a store of the second version, then of the first\npath \"{mount}data/*\" {{\n  capabilities = [\"read\"]\n}}\n# path \"{mount}*\" {{\n#   capabilities = [\"read\"]\n# }}\n"
            )
        })
        .collect();
    vec![
        Script {
            title: "Least rights for reading".to_owned(),
            usage: format!("save as {READER}.hcl, beside {READER}.sh"),
            file_name: format!("{READER}.hcl"),
            text: format!(
                "# What Lastkey needs to read who can reach which secret. Nothing here reads a value\n# or changes anything; `update` stands where the vault takes a question as a POST.\n# Secrets engines that do not stand at their type's name (pki/, database/) need lines of their own:\n# the check says which are missing.\n{nested}\n{}",
                needs::as_policy(&needs)
            ),
        },
        Script {
            title: "A login with the least rights".to_owned(),
            usage:
                "run as an administrator of the vault; with HashiCorp Vault, write vault for bao"
                    .to_owned(),
            file_name: format!("{READER}.sh"),
            text: commands(READER, mount, namespace),
        },
        Script {
            title: "Rights for fingerprints, a login of its own".to_owned(),
            usage: format!(
                "only where fingerprints are wanted: save as {VALUES}.hcl, then run the commands with {VALUES} for {READER}"
            ),
            file_name: format!("{VALUES}.hcl"),
            text: format!(
                "# What Lastkey needs to reduce values to keyed fingerprints. It reads the values of secrets:\n# leave it out where copies of one secret need not be found.\n{nested}path \"auth/token/lookup-self\" {{\n  capabilities = [\"read\"]\n}}\npath \"sys/mounts\" {{\n  capabilities = [\"read\"]\n}}\npath \"sys/auth\" {{\n  capabilities = [\"read\"]\n}}\n{values}"
            ),
        },
    ]
}

fn commands(name: &str, mount: &str, namespace: &str) -> String {
    let export = match namespace {
        "" => String::new(),
        namespace => format!("export BAO_NAMESPACE={namespace}\n"),
    };
    format!(
        "#!/bin/sh\n# Makes the policy and an AppRole with it. The last two lines print the role ID, which is a\n# setting of the source, and the secret ID, which is its secret.\nset -eu\n{export}bao policy write {name} {name}.hcl\nbao write auth/{mount}/role/{name} \\\n  token_policies={name} token_no_default_policy=true token_type=batch token_ttl=2h \\\n  secret_id_ttl=2160h secret_id_num_uses=0\nbao read -field=role_id auth/{mount}/role/{name}/role-id && echo\nbao write -f -field=secret_id auth/{mount}/role/{name}/secret-id && echo\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Asked, Capabilities, Policy};

    fn text(mounts: &str) -> String {
        let mut settings = Settings::default();
        for (key, value) in [
            ("address", "https://h"),
            ("system", "v"),
            ("role_id", "r"),
            ("mounts", mounts),
        ] {
            settings.0.insert(key.to_owned(), value.to_owned());
        }
        scripts(&settings).remove(0).text
    }

    #[test]
    fn the_policy_reads_no_value_and_changes_nothing() {
        for mounts in ["", "secret,team/kv"] {
            let policy = Policy::parse("p", &text(mounts)).unwrap();
            let acl = crate::policy::Acl::new([&policy], None, Default::default()).unwrap();
            for path in ["secret/data/x", "team/kv/data/x", "secret/x", "kv/x"] {
                let (can, _) = acl.on(path, Asked::Otherwise);
                assert!(!can.allow(Capabilities::READ), "{path}: {:?}", can.words());
            }
            assert!(
                acl.on("secret/metadata/a/b", Asked::Otherwise)
                    .0
                    .allow(Capabilities::READ)
            );
            for path in [
                "sys/policies/acl/x",
                "auth/userpass/users/x",
                "identity/entity/id/x",
            ] {
                let (can, _) = acl.on(path, Asked::Otherwise);
                assert!(!can.allow(needs::changing()), "{path}: {:?}", can.words());
            }
        }
    }

    #[test]
    fn scripts_say_how_they_are_used() {
        let all = scripts(&Settings::default());
        assert_eq!(all.len(), 3);
        for script in all {
            assert!(!script.usage.is_empty() && !script.text.contains("secret_id="));
        }
    }
}
