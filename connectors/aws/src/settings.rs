//! Settings of an account, parsed once into a [`Cloud`].

use crate::error::SERVER;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName, listed,
};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

const KEYS: &[(&str, &str)] = &[("sign_in", "keys")];
const PROFILE: &[(&str, &str)] = &[("sign_in", "profile")];

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "aws",
    title: "AWS account",
    summary: "IAM users, groups, roles and who may assume them, access keys, policies, Identity Center, the organisation, the names of secrets and parameters and who can read each, never a value.",
    settings: &[
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as aws-prod",
            Must::Yes,
            "",
        ),
        SettingSpec {
            key: "sign_in",
            label: "Sign in with",
            help: "keys for an access key of an IAM user, whose secret is kept in the keychain; profile for a profile of the AWS configuration files, also one that uses SSO or assumes roles",
            required: false,
            default: "keys",
            choices: &["keys", "profile"],
            only_with: &[],
        },
        SettingSpec {
            key: "access_key_id",
            label: "Access key id",
            help: "the id of the access key, AKIA…; its secret is the source's secret",
            required: true,
            default: "",
            choices: &[],
            only_with: KEYS,
        },
        SettingSpec {
            key: "profile",
            label: "Profile",
            help: "the name of the profile, as `aws configure list-profiles` shows it",
            required: true,
            default: "",
            choices: &[],
            only_with: PROFILE,
        },
        SettingSpec {
            key: "aws_folder",
            label: "Folder of the AWS files",
            help: "the folder with config, credentials and sso/cache; .aws in the home folder where empty",
            required: false,
            default: "",
            choices: &[],
            only_with: PROFILE,
        },
        SettingSpec {
            key: "values_access_key_id",
            label: "Access key id for fingerprints",
            help: "the id of the access key of a login of its own that may read values; only where fingerprints are switched on",
            required: false,
            default: "",
            choices: &[],
            only_with: KEYS,
        },
        SettingSpec {
            key: "values_profile",
            label: "Profile for fingerprints",
            help: "the profile of a login of its own that may read values; only where fingerprints are switched on",
            required: false,
            default: "",
            choices: &[],
            only_with: PROFILE,
        },
        SettingSpec::text(
            "role_arn",
            "Role to assume",
            "ARN of a role that is assumed for reading, after signing in",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "external_id",
            "External id",
            "what the role's trust policy wants as sts:ExternalId, where it wants one",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "regions",
            "Regions",
            "regions whose secrets and parameters are read, with commas between; the first is where requests for a token go",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "identity_center_region",
            "Region of Identity Center",
            "where the organisation's Identity Center stands; the first of the regions where empty",
            Must::No,
            "",
        ),
        SettingSpec {
            key: "parameters",
            label: "Parameters",
            help: "secure for SecureString parameters of SSM alone, all for plain ones too",
            required: false,
            default: "secure",
            choices: &["secure", "all"],
            only_with: &[],
        },
        SettingSpec::text(
            "leave_out",
            "Parts to leave out",
            "what is not read, with commas between: credential_report, identity_center, organization, parameters, secrets",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "endpoint",
            "Endpoint",
            "https://host[:port] that answers instead of AWS, for a lab or an endpoint of one's own; AWS itself where empty",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of the endpoint, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for one answer of AWS, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Optional,
    secret_label: "Secret access key",
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
    CredentialReport,
    IdentityCenter,
    Organization,
    Parameters,
    Secrets,
}

impl Part {
    pub const ALL: [Part; 5] = [
        Part::CredentialReport,
        Part::IdentityCenter,
        Part::Organization,
        Part::Parameters,
        Part::Secrets,
    ];

    /// The word of `leave_out`.
    pub fn word(self) -> &'static str {
        match self {
            Part::CredentialReport => "credential_report",
            Part::IdentityCenter => "identity_center",
            Part::Organization => "organization",
            Part::Parameters => "parameters",
            Part::Secrets => "secrets",
        }
    }
}

/// How we sign in, before any role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The secret is the source's.
    Keys { id: String },
    Profile {
        name: String,
        folder: Option<PathBuf>,
    },
}

/// Which parameters are places of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    Secure,
    All,
}

/// A role that is assumed for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    pub arn: String,
    pub external_id: Option<String>,
    pub session: Option<String>,
}

/// A configured account, without its secret.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub system: SystemName,
    pub sign_in: SignIn,
    /// The login that reads values, for fingerprints.
    pub values_sign_in: Option<SignIn>,
    pub role: Option<Assumed>,
    /// At least one.
    pub regions: Vec<String>,
    pub center_region: String,
    pub parameters: Parameters,
    pub leave_out: BTreeSet<Part>,
    pub endpoint: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

impl Cloud {
    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Cloud, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let given = |key: &str| Some(text(key)).filter(|text| !text.is_empty());
        let sign_in = match text("sign_in").as_str() {
            "profile" => SignIn::Profile {
                name: text("profile"),
                folder: given("aws_folder").map(PathBuf::from),
            },
            _ => SignIn::Keys {
                id: key_id(&text("access_key_id"))?,
            },
        };
        let values_sign_in = match &sign_in {
            SignIn::Keys { .. } => match given("values_access_key_id") {
                Some(id) => Some(SignIn::Keys { id: key_id(&id)? }),
                None => None,
            },
            SignIn::Profile { folder, .. } => given("values_profile").map(|name| SignIn::Profile {
                name,
                folder: folder.clone(),
            }),
        };
        let regions = text("regions");
        let mut known: Vec<String> = Vec::new();
        for region in listed(&regions) {
            let region = region_name(region)?;
            if !known.contains(&region) {
                known.push(region);
            }
        }
        let first = known.first().cloned().ok_or_else(|| {
            DESCRIPTOR.invalid("no region is named", "write at least one: eu-west-1")
        })?;
        let center_region = match given("identity_center_region") {
            Some(region) => region_name(&region)?,
            None => first,
        };
        let external_id = given("external_id");
        let role = match given("role_arn") {
            Some(arn) => Some(role(&arn, external_id, None)?),
            None if external_id.is_some() => {
                return Err(DESCRIPTOR.invalid(
                    "an external id is given and no role to assume with it",
                    "give role_arn too, or leave external_id empty",
                ));
            }
            None => None,
        };
        let endpoint = match given("endpoint") {
            None => None,
            Some(address) => match SERVER.origin(&address)? {
                (origin, "") => Some(origin.address()),
                (_, _) => return Err(SERVER.not_an_address(&address)),
            },
        };
        Ok(Cloud {
            system: settings.system(&DESCRIPTOR, "aws-prod")?,
            sign_in,
            values_sign_in,
            role,
            regions: known,
            center_region,
            parameters: match text("parameters").as_str() {
                "all" => Parameters::All,
                _ => Parameters::Secure,
            },
            leave_out: DESCRIPTOR.left_out(&text("leave_out"), &Part::ALL, |part| part.word())?,
            endpoint,
            ca_file: given("ca_file").map(PathBuf::from),
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }

    /// Whether a part is to be read.
    pub fn reads(&self, part: Part) -> bool {
        !self.leave_out.contains(&part)
    }

    /// The region that requests for tokens go to.
    pub fn home(&self) -> &str {
        self.regions.first().map_or("us-east-1", String::as_str)
    }

    /// What is read, for sentences.
    pub fn address(&self) -> String {
        self.endpoint
            .clone()
            .unwrap_or_else(|| format!("aws {}", self.home()))
    }
}

fn key_id(id: &str) -> Result<String, ConnectorError> {
    let plain = id.len() >= 16 && id.chars().all(|c| c.is_ascii_alphanumeric());
    match (plain, id.starts_with("ASIA")) {
        (true, false) => Ok(id.to_owned()),
        (true, true) => Err(DESCRIPTOR.invalid(
            "this is the id of temporary credentials, which need a session token and end by themselves",
            "give an access key that begins with AKIA, or sign in with a profile",
        )),
        // Whatever it is, it may be the secret: it is not said back.
        (false, _) => Err(DESCRIPTOR.invalid(
            "access_key_id is not the id of an access key",
            "write the id alone, AKIA and sixteen more letters and digits; the secret is the source's secret",
        )),
    }
}

fn region_name(region: &str) -> Result<String, ConnectorError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match region.chars().all(plain) && region.matches('-').count() >= 2 {
        true => Ok(region.to_owned()),
        false => Err(DESCRIPTOR.invalid(
            format!("`{region}` is not a region"),
            "write regions such as eu-west-1, with commas between",
        )),
    }
}

/// A role by its ARN.
pub fn role(
    arn: &str,
    external_id: Option<String>,
    session: Option<String>,
) -> Result<Assumed, ConnectorError> {
    match arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/") {
        true => Ok(Assumed {
            arn: arn.to_owned(),
            external_id,
            session,
        }),
        false => Err(DESCRIPTOR.invalid(
            format!("`{arn}` is not the ARN of a role"),
            "write arn:aws:iam::111122223333:role/lastkey-reader",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Cloud, ConnectorError> {
        let mut settings = Settings::default();
        for (key, value) in [
            ("system", "aws-prod"),
            ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
            ("regions", "eu-west-1, us-east-1"),
        ]
        .iter()
        .chain(pairs)
        {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        Cloud::from_settings(&settings)
    }

    #[test]
    fn an_account_is_read_from_settings() {
        let made = parsed(&[
            ("role_arn", "arn:aws:iam::111122223333:role/reader"),
            ("external_id", "x-1"),
            ("leave_out", "organization, identity_center"),
            ("endpoint", "https://127.0.0.1:15000/"),
        ])
        .unwrap();
        assert_eq!(made.regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(made.center_region, "eu-west-1");
        assert_eq!(made.endpoint.as_deref(), Some("https://127.0.0.1:15000"));
        assert_eq!(made.role.unwrap().external_id.as_deref(), Some("x-1"));
        assert!(made.leave_out.contains(&Part::Organization));
    }

    #[test]
    fn what_cannot_count_is_refused_with_what_to_write() {
        for pairs in [
            [("endpoint", "http://127.0.0.1:5000")],
            [("endpoint", "https://h/path")],
            [("regions", "Ireland")],
            [("regions", ",")],
            [("access_key_id", "short")],
            [("access_key_id", "ASIAIOSFODNN7EXAMPLE")],
            [("role_arn", "reader")],
            [("external_id", "alone")],
            [("leave_out", "iam")],
            [("parameters", "none")],
            [("sign_in", "sso")],
            [("system", "AWS Prod")],
            [("timeout", "0")],
        ] {
            let error = parsed(&pairs).unwrap_err();
            assert!(
                error.hint.is_some() && error.kind.is_of_settings(),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_secret_in_the_wrong_field_is_not_said_back() {
        let error =
            parsed(&[("access_key_id", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")]).unwrap_err();
        assert!(!format!("{error:?}").contains("wJalr"));
    }
}
