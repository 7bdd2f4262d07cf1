//! Identity Center and the organisation: people and groups of the whole organisation, what they hold
//! in which account, and the policies that stand over this one.

use crate::api::{Api, Myself};
use crate::error::{Got, SERVER, there};
use crate::iam::shown;
use crate::json::{Moment, moment};
use crate::lacks::Lacks;
use crate::objects::{Assignment, Center, Crowd, Member, PermissionSet, Person};
use lastkey_contract::ConnectorError;
use serde::Deserialize;
use serde_json::{Value, json};

/// What stands over the account.
#[derive(Clone, Debug, Default)]
pub struct Over {
    /// The organisation's id; Some(None) where the account is in none; None where that is not known.
    pub id: Option<Option<String>>,
    /// `o-a1b2/r-ab12/ou-ab12-11111111/`
    pub path: Option<String>,
    /// The account manages the organisation: its policies do not bind it.
    pub manages: bool,
    pub service: Binding,
    pub resource: Binding,
    pub members: Vec<Member>,
}

/// Names and texts of policies; None for a text that was not shown.
pub type Documents = Vec<(String, Option<String>)>;

/// Policies of one kind from the root down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    #[default]
    None,
    /// Names of levels, each with names and documents.
    Levels(Vec<(String, Documents)>),
    /// Why they were not read.
    Unread(String),
}

/// Deeper than any organisation.
const DEEPEST: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    organization: Option<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    id: Option<String>,
    master_account_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    status: Option<String>,
    state: Option<String>,
    joined_timestamp: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parents {
    parents: Option<Vec<Parent>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    id: Option<String>,
    #[serde(rename = "Type")]
    sort: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    policy: Option<Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    instance_arn: Option<String>,
    identity_store_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    user_id: String,
    user_name: Option<String>,
    display_name: Option<String>,
    title: Option<String>,
    user_status: Option<String>,
    created_at: Option<Moment>,
    emails: Option<Vec<Email>>,
    external_ids: Option<Vec<ExternalId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Email {
    value: Option<String>,
    #[serde(default)]
    primary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ExternalId {
    issuer: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_id: String,
    display_name: Option<String>,
    external_ids: Option<Vec<ExternalId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Membership {
    member_id: Option<MemberId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MemberId {
    user_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedSet {
    permission_set: Option<Set>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    name: Option<String>,
    created_date: Option<Moment>,
    session_duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assigned {
    principal_type: Option<String>,
    principal_id: Option<String>,
}

/// Reads what stands over the account.
pub async fn over(api: &Api, myself: &Myself, lacks: &mut Lacks) -> Result<Over, ConnectorError> {
    let unread = |why: &str| Over {
        service: Binding::Unread(why.to_owned()),
        resource: Binding::Unread(why.to_owned()),
        ..Over::default()
    };
    let action = "organizations:DescribeOrganization";
    let home = api.cloud.home();
    let told = match api.json.ask::<Described>(home, action, &json!({})).await? {
        Got::Absent => {
            return Ok(Over {
                id: Some(None),
                ..Over::default()
            });
        }
        Got::Refused(_) => {
            lacks.refused(action, &myself.account);
            return Ok(unread(
                "whether the account is in an organisation was not read",
            ));
        }
        Got::Found(told) => there(api.address(), action, told.organization)?,
    };
    let id = there(api.address(), action, told.id)?;
    let manages = told.master_account_id.as_deref() == Some(myself.account.as_str());
    let mut over = Over {
        id: Some(Some(id.clone())),
        manages,
        ..Over::default()
    };
    over.members = members(api, lacks).await?;
    let Some(levels) = levels(api, myself, lacks).await? else {
        return Ok(match manages {
            true => over,
            false => Over {
                id: over.id,
                members: over.members,
                ..unread("the policies of the organisation were not read")
            },
        });
    };
    let path: Vec<&str> = levels
        .iter()
        .map(String::as_str)
        .filter(|l| *l != myself.account)
        .collect();
    over.path = Some(format!("{id}/{}/", path.join("/")));
    if !manages {
        over.service = binding(api, &levels, "SERVICE_CONTROL_POLICY", lacks).await?;
        over.resource = binding(api, &levels, "RESOURCE_CONTROL_POLICY", lacks).await?;
    }
    Ok(over)
}

async fn members(api: &Api, lacks: &mut Lacks) -> Result<Vec<Member>, ConnectorError> {
    let action = "organizations:ListAccounts";
    let home = api.cloud.home();
    let list = api.json.all(home, action, &json!({}), "Accounts").await?;
    let listed: Vec<Listed> = shown(list, action, "accounts", lacks).unwrap_or_default();
    let member = |told: Listed| {
        Some(Member {
            id: told.id?,
            name: told.name,
            email: told.email,
            status: told.state.or(told.status),
            joined: moment(told.joined_timestamp.as_ref()),
        })
    };
    let mut members: Vec<Member> = listed.into_iter().filter_map(member).collect();
    members.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(members)
}

/// From the root down to the account; None where they were not shown.
async fn levels(
    api: &Api,
    myself: &Myself,
    lacks: &mut Lacks,
) -> Result<Option<Vec<String>>, ConnectorError> {
    let action = "organizations:ListParents";
    let mut levels = vec![myself.account.clone()];
    let mut child = myself.account.clone();
    for _ in 0..DEEPEST {
        let body = json!({ "ChildId": child });
        let told = api
            .json
            .ask::<Parents>(api.cloud.home(), action, &body)
            .await?;
        let Some(told) = shown(told, action, &child, lacks) else {
            return Ok(None);
        };
        let parent = told.parents.unwrap_or_default().into_iter().next();
        let parent = there(api.address(), action, parent)?;
        let id = there(api.address(), action, parent.id)?;
        levels.push(id.clone());
        if parent.sort.as_deref() == Some("ROOT") {
            levels.reverse();
            return Ok(Some(levels));
        }
        child = id;
    }
    Err(SERVER.odd(api.address(), action, "it names no root"))
}

async fn binding(
    api: &Api,
    levels: &[String],
    kind: &str,
    lacks: &mut Lacks,
) -> Result<Binding, ConnectorError> {
    let action = "organizations:ListPoliciesForTarget";
    let home = api.cloud.home();
    let mut made = Vec::new();
    for level in levels {
        let body = json!({ "TargetId": level, "Filter": kind });
        let listed = match api
            .json
            .all::<Summary>(home, action, &body, "Policies")
            .await
        {
            Ok(listed) => listed,
            // An organisation without policies of this kind says so by an error of its own.
            Err(error) if error.message.contains("PolicyTypeNotEnabled") => {
                return Ok(Binding::None);
            }
            Err(error) => return Err(error),
        };
        let Some(listed) = shown(listed, action, level, lacks) else {
            return Ok(Binding::Unread(format!("{action} was refused")));
        };
        let mut documents = Vec::new();
        for policy in listed {
            let id = there(api.address(), action, policy.id)?;
            let name = policy.name.unwrap_or_else(|| id.clone());
            let action = "organizations:DescribePolicy";
            let body = json!({ "PolicyId": id });
            let told = api.json.ask::<Told>(home, action, &body).await?;
            let told = shown(told, action, &name, lacks);
            let text = told
                .and_then(|told| told.policy)
                .and_then(|policy| policy.content);
            documents.push((name, text));
        }
        made.push((level.clone(), documents));
    }
    // Where the kind is switched on, AWS attaches at least one to every level.
    match made.iter().all(|(_, documents)| documents.is_empty()) {
        true => Ok(Binding::None),
        false => Ok(Binding::Levels(made)),
    }
}

/// Reads Identity Center; None where there is none.
pub async fn center(api: &Api, lacks: &mut Lacks) -> Result<Option<Center>, ConnectorError> {
    let action = "sso:ListInstances";
    let region = api.cloud.center_region.as_str();
    let list = api
        .json
        .all(region, action, &json!({}), "Instances")
        .await?;
    let instances: Vec<Instance> = shown(list, action, region, lacks).unwrap_or_default();
    if instances.is_empty() {
        return Ok(None);
    }
    let mut center = Center::default();
    for instance in instances {
        let arn = there(api.address(), action, instance.instance_arn)?;
        let store = there(api.address(), action, instance.identity_store_id)?;
        people(api, &store, lacks, &mut center).await?;
        sets(api, &arn, lacks, &mut center).await?;
    }
    center.people.sort_by(|a, b| a.id.cmp(&b.id));
    center.groups.sort_by(|a, b| a.id.cmp(&b.id));
    center.sets.sort_by(|a, b| a.arn.cmp(&b.arn));
    center.assignments.sort();
    center.assignments.dedup();
    Ok(Some(center))
}

fn external(ids: Option<Vec<ExternalId>>) -> Option<String> {
    let each = ids.into_iter().flatten();
    let shown: Vec<String> = each.map(|id| format!("{}: {}", id.issuer, id.id)).collect();
    (!shown.is_empty()).then(|| shown.join("\n"))
}

async fn people(
    api: &Api,
    store: &str,
    lacks: &mut Lacks,
    center: &mut Center,
) -> Result<(), ConnectorError> {
    let region = api.cloud.center_region.as_str();
    let body = json!({ "IdentityStoreId": store });
    let action = "identitystore:ListUsers";
    let list = api.json.all(region, action, &body, "Users").await?;
    let users: Vec<User> = shown(list, action, store, lacks).unwrap_or_default();
    center.people.extend(users.into_iter().map(|told| {
        let emails = told.emails.unwrap_or_default();
        let primary = emails.iter().find(|email| email.primary).or(emails.first());
        Person {
            email: primary.and_then(|email| email.value.clone()),
            id: told.user_id,
            name: told.user_name,
            shown: told.display_name,
            enabled: told.user_status.map(|status| status == "ENABLED"),
            created: moment(told.created_at.as_ref()),
            external: external(told.external_ids),
            title: told.title,
        }
    }));
    let action = "identitystore:ListGroups";
    let list = api.json.all(region, action, &body, "Groups").await?;
    let groups: Vec<Group> = shown(list, action, store, lacks).unwrap_or_default();
    for group in groups {
        let action = "identitystore:ListGroupMemberships";
        let body = json!({ "IdentityStoreId": store, "GroupId": group.group_id });
        let list = api
            .json
            .all(region, action, &body, "GroupMemberships")
            .await?;
        let members: Vec<Membership> =
            shown(list, action, &group.group_id, lacks).unwrap_or_default();
        for user in members.into_iter().filter_map(|m| m.member_id?.user_id) {
            center.members.insert((group.group_id.clone(), user));
        }
        center.groups.push(Crowd {
            id: group.group_id,
            name: group.display_name,
            external: external(group.external_ids),
        });
    }
    Ok(())
}

async fn sets(
    api: &Api,
    instance: &str,
    lacks: &mut Lacks,
    center: &mut Center,
) -> Result<(), ConnectorError> {
    let region = api.cloud.center_region.as_str();
    let action = "sso:ListPermissionSets";
    let body = json!({ "InstanceArn": instance });
    let list = api
        .json
        .all(region, action, &body, "PermissionSets")
        .await?;
    let sets: Vec<String> = shown(list, action, instance, lacks).unwrap_or_default();
    for arn in sets {
        let action = "sso:DescribePermissionSet";
        let body = json!({ "InstanceArn": instance, "PermissionSetArn": arn });
        let told = api.json.ask::<DescribedSet>(region, action, &body).await?;
        let told = shown(told, action, &arn, lacks).and_then(|told| told.permission_set);
        let (name, created, session) = match told {
            Some(set) => (
                set.name,
                moment(set.created_date.as_ref()),
                set.session_duration,
            ),
            None => (None, None, None),
        };
        center.sets.push(PermissionSet {
            name: name.unwrap_or_else(|| arn.clone()),
            arn: arn.clone(),
            created,
            session,
        });
        assigned(api, &body, &arn, lacks, center).await?;
    }
    Ok(())
}

/// Who holds a permission set in which account; `of` names the set.
async fn assigned(
    api: &Api,
    of: &Value,
    set: &str,
    lacks: &mut Lacks,
    center: &mut Center,
) -> Result<(), ConnectorError> {
    let region = api.cloud.center_region.as_str();
    let action = "sso:ListAccountsForProvisionedPermissionSet";
    let list = api.json.all(region, action, of, "AccountIds").await?;
    let accounts: Vec<String> = shown(list, action, set, lacks).unwrap_or_default();
    for account in accounts {
        let action = "sso:ListAccountAssignments";
        let mut body = of.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("AccountId".to_owned(), json!(account));
        }
        let list = api
            .json
            .all(region, action, &body, "AccountAssignments")
            .await?;
        let told: Vec<Assigned> = shown(list, action, &account, lacks).unwrap_or_default();
        for told in told {
            center.assignments.push(Assignment {
                account: account.clone(),
                set: set.to_owned(),
                to_group: told.principal_type.as_deref() == Some("GROUP"),
                principal: there(api.address(), action, told.principal_id)?,
            });
        }
    }
    Ok(())
}
