//! The account as it is read: its lists once, then kept for as long as the session lives; what is asked
//! of one user, secret or key when a page tells of it.

use crate::api::{Api, Myself};
use crate::centre::{self, Binding, Over};
use crate::iam::{self, Iam};
use crate::judge::Judge;
use crate::lacks::Lacks;
use crate::objects::{Center, Means, Shelf, User};
use crate::report::{self, Report};
use crate::settings::{Cloud, Part};
use crate::shelves::{self, Key};
use crate::trust::{Outsider, outsiders};
use lastkey_contract::{ConnectorError, ErrorKind, Kind, Secret};
use std::collections::{BTreeMap, BTreeSet};

/// An open account.
pub struct Estate {
    pub api: Api,
    pub myself: Option<Myself>,
    lists: Option<Lists>,
    means: BTreeMap<String, (Means, Lacks)>,
    keys: BTreeMap<(String, String), (Key, Lacks)>,
}

/// What is listed.
struct Lists {
    iam: Iam,
    report: Option<Report>,
    over: Over,
    center: Center,
    shelves: BTreeMap<String, Shelf>,
    judge: Judge,
    outsiders: BTreeSet<Outsider>,
    lacks: Lacks,
}

/// Everything that facts are made of.
pub struct Known<'a> {
    pub iam: &'a Iam,
    pub report: Option<&'a Report>,
    pub over: &'a Over,
    pub center: &'a Center,
    pub shelves: &'a BTreeMap<String, Shelf>,
    pub judge: &'a Judge,
    pub outsiders: &'a BTreeSet<Outsider>,
    pub lacks: &'a Lacks,
}

impl Estate {
    pub fn new(cloud: &Cloud, secret: Option<Secret>) -> Estate {
        Estate {
            api: Api::new(cloud, secret),
            myself: None,
            lists: None,
            means: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    /// Signs in.
    pub async fn sign_in(&mut self) -> Result<Myself, ConnectorError> {
        if let Some(myself) = &self.myself {
            return Ok(myself.clone());
        }
        let myself = self.api.myself().await?;
        self.myself = Some(myself.clone());
        Ok(myself)
    }

    /// Lists everything that is not listed yet.
    pub async fn list(&mut self) -> Result<(), ConnectorError> {
        if self.lists.is_none() {
            let myself = self.sign_in().await?;
            self.lists = Some(Lists::read(&self.api, &myself).await?);
        }
        Ok(())
    }

    /// What is listed.
    pub fn known(&self) -> Result<Known<'_>, ConnectorError> {
        let lists = self.lists.as_ref().ok_or_else(|| {
            let what = "what was read was not kept";
            ConnectorError::new(ErrorKind::Bug, self.api.address(), "read the account", what)
        })?;
        Ok(Known {
            iam: &lists.iam,
            report: lists.report.as_ref(),
            over: &lists.over,
            center: &lists.center,
            shelves: &lists.shelves,
            judge: &lists.judge,
            outsiders: &lists.outsiders,
            lacks: &lists.lacks,
        })
    }

    /// What a user signs in with, asked once.
    pub async fn means(&mut self, user: &User, lacks: &mut Lacks) -> Result<Means, ConnectorError> {
        if let Some((means, noted)) = self.means.get(&user.id) {
            lacks.take(noted.clone());
            return Ok(means.clone());
        }
        let mut noted = Lacks::default();
        let means = iam::means(&self.api, &user.name, &mut noted).await?;
        lacks.take(noted.clone());
        self.means.insert(user.id.clone(), (means.clone(), noted));
        Ok(means)
    }

    /// The key that a secret or parameter is under, asked once.
    pub async fn key(&mut self, shelf: &Shelf, lacks: &mut Lacks) -> Result<Key, ConnectorError> {
        let Some(named) = shelf.key.as_ref().filter(|_| shelf.encrypted) else {
            return Ok(Key::OfAws);
        };
        let place = (shelf.region.clone(), named.clone());
        if let Some((key, noted)) = self.keys.get(&place) {
            lacks.take(noted.clone());
            return Ok(key.clone());
        }
        let mut noted = Lacks::default();
        let key = shelves::key(&self.api, &shelf.region, named, &mut noted).await?;
        lacks.take(noted.clone());
        self.keys.insert(place, (key.clone(), noted));
        Ok(key)
    }
}

impl Lists {
    async fn read(api: &Api, myself: &Myself) -> Result<Lists, ConnectorError> {
        let cloud = &api.cloud;
        let mut lacks = Lacks::default();
        let iam = iam::read(api, &mut lacks).await?;
        let report = match cloud.reads(Part::CredentialReport) {
            true => report::read(api, &mut lacks).await?,
            false => None,
        };
        let over = match cloud.reads(Part::Organization) {
            true => centre::over(api, myself, &mut lacks).await?,
            false => {
                let why = "the organisation is left out, as configured";
                Over {
                    service: Binding::Unread(why.to_owned()),
                    resource: Binding::Unread(why.to_owned()),
                    ..Over::default()
                }
            }
        };
        let center = match cloud.reads(Part::IdentityCenter) {
            true => centre::center(api, &mut lacks).await?.unwrap_or_default(),
            false => Center::default(),
        };
        let mut shelves = shelves::read(api, &mut lacks).await?;
        for shelf in shelves.values_mut() {
            // Old answers about parameters name no ARN.
            if let Some(rest) = shelf.arn.strip_prefix("arn::ssm:") {
                let rest = rest.replacen("::", &format!(":{}:", myself.account), 1);
                shelf.arn = format!("arn:{}:ssm:{rest}", myself.partition);
            }
        }
        let judge = Judge::new(&myself.account, &myself.partition, &iam, &over);
        if let Some(why) = &judge.unless {
            let reason = format!(
                "policies of an organisation (SCP, RCP) are not known: what is allowed here is allowed unless one of them denies it ({why})"
            );
            lacks.remark(&[Kind::Reader, Kind::Control], &reason, &myself.account);
        }
        let mut named = BTreeSet::new();
        for role in &iam.roles {
            let trust = role.trust.as_deref();
            match trust.and_then(|trust| outsiders(trust, &myself.account)) {
                Some(found) => named.extend(found.into_keys()),
                None => lacks.note(
                    &[Kind::Account, Kind::Control],
                    lastkey_contract::NoteKind::Clipped,
                    "the trust policy of a role was not understood, so that whom it trusts is not seen",
                    &role.name,
                ),
            }
        }
        Ok(Lists {
            iam,
            report,
            over,
            center,
            shelves,
            judge,
            outsiders: named,
            lacks,
        })
    }
}
