//! IAM as it is read: users, groups, roles and policies at once; what a user signs in with, when asked.

use crate::api::Api;
use crate::error::{Got, all, got, marker, there};
use crate::lacks::Lacks;
use crate::objects::{
    AccessKey, Attached, Group, Managed, Means, Other, Password, Provider, Role, ServerCertificate,
    Sort, Tags, Text, User, at, unescaped, when,
};
use aws_sdk_iam::types::{self, StatusType};
use lastkey_contract::{ConnectorError, Kind};
use std::collections::BTreeMap;

/// Everything of the account that one list tells.
#[derive(Debug, Default)]
pub struct Iam {
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    pub policies: Vec<Managed>,
    pub providers: Vec<Provider>,
    pub certificates: Vec<ServerCertificate>,
    /// What the account says of itself: `AccountMFAEnabled`, `AccountAccessKeysPresent`.
    pub summary: BTreeMap<String, i32>,
    /// Users, groups and roles were shown.
    pub shown: bool,
}

const PAGE: i32 = 1000;

/// Reads it.
pub async fn read(api: &Api, lacks: &mut Lacks) -> Result<Iam, ConnectorError> {
    let mut iam = Iam::default();
    details(api, lacks, &mut iam).await?;
    let action = "iam:ListUsers";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.list_users().max_items(PAGE).set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(
            sent.map(|page| (page.users, marker(page.is_truncated, page.marker))),
        )
    });
    if let Some(users) = shown(list.await?, action, "users", lacks) {
        let used: BTreeMap<String, _> = users
            .into_iter()
            .filter_map(|user| Some((user.user_id, at(&user.password_last_used?)?)))
            .collect();
        for user in &mut iam.users {
            user.password_used = used.get(&user.id).copied();
        }
    }
    let action = "iam:GetAccountSummary";
    let sent = api.iam.get_account_summary().send().await;
    let sent = got(api.address(), action, sent)?;
    if let Some(told) = shown(sent, action, "root user", lacks) {
        let map = there(api.address(), action, told.summary_map)?;
        iam.summary = map
            .into_iter()
            .map(|(key, count)| (key.as_str().to_owned(), count))
            .collect();
    }
    providers(api, lacks, &mut iam).await?;
    let action = "iam:ListServerCertificates";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.list_server_certificates().set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(sent.map(|page| {
            let place = marker(page.is_truncated, page.marker);
            (page.server_certificate_metadata_list, place)
        }))
    });
    let found = shown(list.await?, action, "server certificates", lacks).unwrap_or_default();
    iam.certificates = found
        .into_iter()
        .map(|c| ServerCertificate {
            id: c.server_certificate_id,
            name: c.server_certificate_name,
            arn: c.arn,
            uploaded: when(c.upload_date.as_ref()),
            ends: when(c.expiration.as_ref()),
        })
        .collect();
    Ok(iam)
}

/// What was found; what was refused is noted.
pub fn shown<T>(got: Got<T>, action: &'static str, about: &str, lacks: &mut Lacks) -> Option<T> {
    match got {
        Got::Found(found) => Some(found),
        Got::Refused(_) => {
            lacks.refused(action, about);
            None
        }
        Got::Absent => None,
    }
}

async fn details(api: &Api, lacks: &mut Lacks, iam: &mut Iam) -> Result<(), ConnectorError> {
    let action = "iam:GetAccountAuthorizationDetails";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.get_account_authorization_details();
        let request = request.max_items(PAGE).set_marker(place);
        let page = match got(api.address(), action, request.send().await)? {
            Got::Found(page) => page,
            Got::Refused(why) => return Ok(Got::Refused(why)),
            Got::Absent => return Ok(Got::Absent),
        };
        // A page tells of some sorts; one that tells of none is no page.
        let none = page.user_detail_list.is_none() && page.group_detail_list.is_none();
        if none && page.role_detail_list.is_none() && page.policies.is_none() {
            there::<()>(api.address(), action, None)?;
        }
        let next = marker(page.is_truncated, page.marker.clone());
        Ok::<_, ConnectorError>(Got::Found((vec![page], next)))
    });
    let Some(pages) = shown(list.await?, action, "the account", lacks) else {
        return Ok(());
    };
    iam.shown = true;
    let mut odd = 0;
    for page in pages {
        let users = page.user_detail_list.unwrap_or_default();
        let groups = page.group_detail_list.unwrap_or_default();
        let roles = page.role_detail_list.unwrap_or_default();
        let policies = page.policies.unwrap_or_default();
        let told = users.len() + groups.len() + roles.len() + policies.len();
        let before = iam.count();
        iam.users.extend(users.into_iter().filter_map(user));
        iam.groups.extend(groups.into_iter().filter_map(group));
        iam.roles.extend(roles.into_iter().filter_map(role));
        iam.policies
            .extend(policies.into_iter().filter_map(managed));
        odd += before + told - iam.count();
    }
    if odd > 0 {
        there::<()>(api.address(), action, None)?;
    }
    iam.users.sort_by(|a, b| a.id.cmp(&b.id));
    iam.users.dedup_by(|a, b| a.id == b.id);
    iam.groups.sort_by(|a, b| a.id.cmp(&b.id));
    iam.groups.dedup_by(|a, b| a.id == b.id);
    iam.roles.sort_by(|a, b| a.id.cmp(&b.id));
    iam.roles.dedup_by(|a, b| a.id == b.id);
    iam.policies.sort_by(|a, b| a.arn.cmp(&b.arn));
    iam.policies.dedup_by(|a, b| a.arn == b.arn);
    Ok(())
}

impl Iam {
    fn count(&self) -> usize {
        self.users.len() + self.groups.len() + self.roles.len() + self.policies.len()
    }
}

fn attached(
    owner: &str,
    inline: Option<Vec<types::PolicyDetail>>,
    managed: Option<Vec<types::AttachedPolicy>>,
    boundary: Option<types::AttachedPermissionsBoundary>,
) -> Attached {
    let text = |policy: types::PolicyDetail| Text {
        name: format!("{owner}/{}", policy.policy_name.unwrap_or_default()),
        text: policy.policy_document.as_deref().map(unescaped),
    };
    Attached {
        inline: inline.unwrap_or_default().into_iter().map(text).collect(),
        managed: managed
            .unwrap_or_default()
            .into_iter()
            .filter_map(|p| p.policy_arn)
            .collect(),
        boundary: boundary.and_then(|b| b.permissions_boundary_arn),
    }
}

fn tags(tags: Option<Vec<types::Tag>>) -> Tags {
    tags.unwrap_or_default()
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect()
}

fn user(told: types::UserDetail) -> Option<User> {
    let name = told.user_name?;
    Some(User {
        attached: attached(
            &name,
            told.user_policy_list,
            told.attached_managed_policies,
            told.permissions_boundary,
        ),
        id: told.user_id?,
        name,
        arn: told.arn?,
        created: when(told.create_date.as_ref()),
        groups: told.group_list.unwrap_or_default(),
        tags: tags(told.tags),
        password_used: None,
    })
}

fn group(told: types::GroupDetail) -> Option<Group> {
    let name = told.group_name?;
    let policies = told.attached_managed_policies;
    Some(Group {
        attached: attached(&name, told.group_policy_list, policies, None),
        id: told.group_id?,
        name,
        arn: told.arn?,
        created: when(told.create_date.as_ref()),
    })
}

fn role(told: types::RoleDetail) -> Option<Role> {
    let name = told.role_name?;
    let used = told.role_last_used.and_then(|used| used.last_used_date);
    Some(Role {
        attached: attached(
            &name,
            told.role_policy_list,
            told.attached_managed_policies,
            told.permissions_boundary,
        ),
        id: told.role_id?,
        name,
        arn: told.arn?,
        path: told.path.unwrap_or_default(),
        created: when(told.create_date.as_ref()),
        trust: told.assume_role_policy_document.as_deref().map(unescaped),
        profiles: told
            .instance_profile_list
            .unwrap_or_default()
            .into_iter()
            .map(|p| p.arn)
            .collect(),
        tags: tags(told.tags),
        used: when(used.as_ref()),
    })
}

fn managed(told: types::ManagedPolicyDetail) -> Option<Managed> {
    let versions = told.policy_version_list.unwrap_or_default();
    let default = versions
        .into_iter()
        .find(|version| version.is_default_version);
    let arn = told.arn?;
    // AWS documents neither as always there; the ARN says both, if not the immutable id.
    let name = told
        .policy_name
        .or(arn.rsplit('/').next().map(str::to_owned));
    Some(Managed {
        id: told.policy_id.unwrap_or_else(|| arn.clone()),
        name: name?,
        arn,
        created: when(told.create_date.as_ref()),
        changed: when(told.update_date.as_ref()),
        text: default
            .and_then(|version| version.document)
            .as_deref()
            .map(unescaped),
    })
}

async fn providers(api: &Api, lacks: &mut Lacks, iam: &mut Iam) -> Result<(), ConnectorError> {
    let action = "iam:ListSAMLProviders";
    let sent = api.iam.list_saml_providers().send().await;
    if let Some(told) = shown(got(api.address(), action, sent)?, action, "SAML", lacks) {
        let listed = told.saml_provider_list.unwrap_or_default();
        iam.providers
            .extend(listed.into_iter().filter_map(|provider| {
                Some(Provider {
                    arn: provider.arn?,
                    saml: true,
                    created: when(provider.create_date.as_ref()),
                    ends: when(provider.valid_until.as_ref()),
                    audiences: Vec::new(),
                })
            }));
    }
    let action = "iam:ListOpenIDConnectProviders";
    let sent = api.iam.list_open_id_connect_providers().send().await;
    let told = shown(got(api.address(), action, sent)?, action, "OIDC", lacks);
    let listed = told
        .and_then(|told| told.open_id_connect_provider_list)
        .unwrap_or_default();
    for arn in listed.into_iter().filter_map(|provider| provider.arn) {
        let action = "iam:GetOpenIDConnectProvider";
        let request = api
            .iam
            .get_open_id_connect_provider()
            .open_id_connect_provider_arn(&arn);
        let told = shown(
            got(api.address(), action, request.send().await)?,
            action,
            &arn,
            lacks,
        );
        let (created, audiences) = match told {
            Some(told) => (
                when(told.create_date.as_ref()),
                told.client_id_list.unwrap_or_default(),
            ),
            None => (None, Vec::new()),
        };
        iam.providers.push(Provider {
            arn,
            saml: false,
            created,
            ends: None,
            audiences,
        });
    }
    iam.providers.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(())
}

/// What a user signs in with. Of a user who is gone by now nothing is known.
pub async fn means(api: &Api, name: &str, lacks: &mut Lacks) -> Result<Means, ConnectorError> {
    let mut means = Means::default();
    let action = "iam:ListAccessKeys";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.list_access_keys().user_name(name).set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(sent.map(|page| {
            (
                page.access_key_metadata,
                marker(page.is_truncated, page.marker),
            )
        }))
    });
    match list.await? {
        Got::Absent => {
            lacks.vanished(&[Kind::Account, Kind::Credential], name);
            return Ok(Means {
                gone: true,
                ..Means::default()
            });
        }
        Got::Refused(_) => lacks.refused(action, name),
        Got::Found(keys) => {
            let mut made = Vec::new();
            for key in keys {
                made.extend(access_key(api, key, lacks).await?);
            }
            means.keys = Some(made);
        }
    }
    let action = "iam:GetLoginProfile";
    let sent = api.iam.get_login_profile().user_name(name).send().await;
    match got(api.address(), action, sent)? {
        Got::Found(told) => {
            let told = there(api.address(), action, told.login_profile)?;
            means.password = Some(Some(Password {
                created: at(&told.create_date),
                must_change: told.password_reset_required,
            }));
        }
        Got::Absent => means.password = Some(None),
        Got::Refused(_) => lacks.refused(action, name),
    }
    let action = "iam:ListMFADevices";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.list_mfa_devices().user_name(name).set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(
            sent.map(|page| (page.mfa_devices, marker(page.is_truncated, page.marker))),
        )
    });
    let devices = shown(list.await?, action, name, lacks);
    means.mfa = devices.map(|all| all.into_iter().map(|device| device.serial_number).collect());
    means.others = others(api, name, lacks).await?;
    Ok(means)
}

async fn access_key(
    api: &Api,
    told: types::AccessKeyMetadata,
    lacks: &mut Lacks,
) -> Result<Option<AccessKey>, ConnectorError> {
    let action = "iam:GetAccessKeyLastUsed";
    let id = there(api.address(), "iam:ListAccessKeys", told.access_key_id)?;
    let sent = api
        .iam
        .get_access_key_last_used()
        .access_key_id(&id)
        .send()
        .await;
    let mut key = AccessKey {
        active: told.status == Some(StatusType::Active),
        created: when(told.create_date.as_ref()),
        id,
        ..AccessKey::default()
    };
    match got(api.address(), action, sent)? {
        Got::Found(told) => {
            if let Some(used) = told.access_key_last_used {
                let named = |text: String| Some(text).filter(|t| !t.is_empty() && t != "N/A");
                key.used = when(used.last_used_date.as_ref());
                key.used_for = named(used.service_name);
                key.used_in = named(used.region);
            }
        }
        Got::Absent => {
            lacks.vanished(&[Kind::Credential], &key.id);
            return Ok(None);
        }
        Got::Refused(_) => lacks.refused(action, &key.id),
    }
    Ok(Some(key))
}

/// Certificates, SSH keys and credentials for single services; None where one sort was not shown.
async fn others(
    api: &Api,
    name: &str,
    lacks: &mut Lacks,
) -> Result<Option<Vec<Other>>, ConnectorError> {
    let active = |status: &StatusType| *status == StatusType::Active;
    let mut found = Vec::new();
    let mut whole = true;
    let action = "iam:ListSigningCertificates";
    let list = all(api.address(), action, |place| async move {
        let request = api
            .iam
            .list_signing_certificates()
            .user_name(name)
            .set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(
            sent.map(|page| (page.certificates, marker(page.is_truncated, page.marker))),
        )
    });
    match shown(list.await?, action, name, lacks) {
        None => whole = false,
        Some(listed) => found.extend(listed.into_iter().map(|c| Other {
            active: active(&c.status),
            id: c.certificate_id,
            sort: Sort::Certificate,
            created: when(c.upload_date.as_ref()),
            ends: None,
            service: None,
            name: None,
        })),
    }
    let action = "iam:ListSSHPublicKeys";
    let list = all(api.address(), action, |place| async move {
        let request = api
            .iam
            .list_ssh_public_keys()
            .user_name(name)
            .set_marker(place);
        let sent = got(api.address(), action, request.send().await)?;
        Ok::<_, ConnectorError>(sent.map(|page| {
            let place = marker(page.is_truncated, page.marker);
            (page.ssh_public_keys.unwrap_or_default(), place)
        }))
    });
    match shown(list.await?, action, name, lacks) {
        None => whole = false,
        Some(listed) => found.extend(listed.into_iter().map(|key| Other {
            active: active(&key.status),
            id: key.ssh_public_key_id,
            sort: Sort::SshKey,
            created: at(&key.upload_date),
            ends: None,
            service: None,
            name: None,
        })),
    }
    let action = "iam:ListServiceSpecificCredentials";
    let list = all(api.address(), action, |place| async move {
        let request = api.iam.list_service_specific_credentials().user_name(name);
        let sent = got(
            api.address(),
            action,
            request.set_marker(place).send().await,
        )?;
        Ok::<_, ConnectorError>(sent.map(|page| {
            let place = marker(page.is_truncated, page.marker);
            (page.service_specific_credentials.unwrap_or_default(), place)
        }))
    });
    match shown(list.await?, action, name, lacks) {
        None => whole = false,
        Some(listed) => found.extend(listed.into_iter().map(|c| Other {
            active: active(&c.status),
            id: c.service_specific_credential_id,
            sort: Sort::OfService,
            created: at(&c.create_date),
            ends: when(c.expiration_date.as_ref()),
            service: Some(c.service_name),
            name: Some(c.service_user_name),
        })),
    }
    Ok(whole.then_some(found))
}
