//! The graph: every fact that reach is computed from, as numbered rows.
//!
//! Rows are numbered in id order (system, id), so that comparing numbers compares ids.

use super::columns::{Column, NONE, Rows, Texts};
use super::doubtful::Undecided;
use super::forgotten::Untold;
use super::maybe::MaybeAccounts;
use super::snapshot::ReadState;
use crate::correlate::{Employment, writings};
use crate::lifecycle::{Basis, Closing, ItemKind};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{
    AccountKind, ControlMeans, CredentialKind, IdentityKind, IdentityStatus, LeaverKind,
    LocationKind, ObjectType, OwnerRole,
};
use lastkey_contract::{IdentityId, Kind, SourceName, SystemName};
use std::collections::BTreeSet;

/// A snapshot, ready for questions. Built once; never changes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) systems: Texts,
    /// Where `name:` sorts among the systems: the order of `system:id` texts.
    pub(crate) system_text_order: Column<u32>,
    pub(crate) environments: Texts,

    pub(crate) identity_ids: Texts,
    pub(crate) identities: Column<IdentityRow>,
    /// By employer: whom it employs, and when.
    pub(crate) employed: Rows<Employment<u32>>,
    /// What other records of people call them: row and `correlate::called`, sorted.
    pub(crate) other_names: Vec<(u32, u64)>,
    pub(crate) accounts_of: Rows<u32>,
    /// Credentials of which the identity is custodian, and how that is known.
    pub(crate) custody: Rows<(u32, Basis)>,
    /// Owner lines by owner.
    pub(crate) owned: Rows<u32>,
    /// Owner lines, sorted by object.
    pub(crate) owner_lines: Column<OwnerLine>,

    pub(crate) account_ids: Texts,
    pub(crate) accounts: Column<AccountRow>,
    pub(crate) sign_in_here: Rows<u32>,
    pub(crate) credentials_of: Rows<u32>,

    pub(crate) entitlement_ids: Texts,
    pub(crate) entitlements: Column<EntitlementRow>,
    pub(crate) account_grants: Rows<GrantRow>,
    pub(crate) entitlement_grants: Rows<GrantRow>,
    pub(crate) terms: Column<Terms>,

    pub(crate) credential_ids: Texts,
    pub(crate) credentials: Column<CredentialRow>,
    /// Credentials by the text of `created_by`, sorted by it.
    pub(crate) created_by: Vec<(Box<str>, u32)>,

    pub(crate) location_ids: Texts,
    pub(crate) locations: Column<LocationRow>,
    pub(crate) credentials_at: Rows<u32>,
    pub(crate) places_of: Rows<u32>,
    pub(crate) secrets_at: Rows<u32>,

    /// Fingerprint classes: credentials with one fingerprint, and the locations that carry it.
    pub(crate) same_secret: Rows<u32>,
    pub(crate) secret_places: Rows<u32>,
    pub(crate) secrets: u32,

    pub(crate) account_reads: Rows<u32>,
    pub(crate) entitlement_reads: Rows<u32>,
    pub(crate) account_controls: Rows<(u32, ControlMeans)>,
    pub(crate) entitlement_controls: Rows<(u32, ControlMeans)>,

    /// What leads to something that nothing holds, and where that would be: sorted.
    pub(crate) loose: Vec<(LooseEnd, (Kind, u32))>,

    /// The systems of accounts that hold or may do something and that nothing lists.
    pub(crate) unlisted: BTreeSet<u32>,
    /// What no source tells of what stands where.
    pub(crate) untold: Untold,

    pub(crate) reads: Vec<ReadState>,
    pub(crate) never_read: Vec<SourceName>,
    pub(crate) maybe: MaybeAccounts,
    pub(crate) undecided: Undecided,
}

/// What names something that nothing holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LooseEnd {
    /// An identity that is custodian of it.
    Custody(u32),
    /// An account that one signs in to through it.
    SignIn(u32),
    /// An account that controls it.
    ByAccount(u32),
    /// An entitlement whose holders control it.
    ByEntitlement(u32),
    /// A location at which it stands, or (with `Kind::Location`) of which nobody tells what stands there.
    At(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct IdentityRow {
    pub kind: IdentityKind,
    pub status: Option<IdentityStatus>,
    pub leaver_kind: Option<LeaverKind>,
    /// What they are called (`correlate::called`).
    pub called: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRow {
    pub system: u32,
    pub identity: u32,
    /// `NONE` where nothing is named or where nothing has the named id.
    pub through: u32,
    pub expires: Closing,
    pub kind: Option<AccountKind>,
    pub enabled: Option<bool>,
    pub local_sign_in: Option<bool>,
    pub privileged: Option<bool>,
    /// How it is known whose it is.
    pub whose: Basis,
    pub environment: u32,
}

impl AccountRow {
    /// An account of which nothing is known.
    pub fn unknown() -> Self {
        AccountRow {
            system: 0,
            identity: NONE,
            through: NONE,
            expires: Closing::Never,
            kind: None,
            enabled: None,
            local_sign_in: None,
            privileged: None,
            whose: Basis::Observed,
            environment: NONE,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EntitlementRow {
    pub system: u32,
    /// How one says that it is held, where its kind is known.
    pub group: Option<Membership>,
    pub privileged: Option<bool>,
    pub environment: u32,
}

impl EntitlementRow {
    /// An entitlement of which nothing is known.
    pub fn unknown() -> Self {
        EntitlementRow {
            system: 0,
            group: None,
            privileged: None,
            environment: NONE,
        }
    }
}

/// How one says that an entitlement is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    MemberOf,
    Holds,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct GrantRow {
    pub entitlement: u32,
    /// The row of its terms: of millions of grants nearly all are on the same ones.
    pub terms: u32,
}

/// On what terms something is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Terms {
    pub expires: Closing,
    pub activation: Activation,
}

/// Whether a grant holds now or has to be activated first; both count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Activation {
    Active,
    Eligible,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CredentialRow {
    pub system: u32,
    pub account: u32,
    pub kind: CredentialKind,
    pub enabled: Option<bool>,
    pub expires: Closing,
    pub revoked: Closing,
    /// The fingerprint class.
    pub secret: u32,
    pub environment: u32,
}

impl CredentialRow {
    /// A credential of which only the kind is known.
    pub fn of(kind: CredentialKind) -> Self {
        CredentialRow {
            system: 0,
            account: NONE,
            kind,
            enabled: None,
            expires: Closing::Never,
            revoked: Closing::Never,
            secret: NONE,
            environment: NONE,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LocationRow {
    pub system: u32,
    pub kind: Option<LocationKind>,
    pub environment: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerLine {
    pub object: (ObjectType, u32),
    /// `NONE` where no identity has the named id.
    pub owner: u32,
    pub role: OwnerRole,
    /// Observed where a source says so, also where somebody confirmed it.
    pub basis: Basis,
}

impl Graph {
    /// How completely everything was read.
    pub fn reads(&self) -> &[ReadState] {
        &self.reads
    }

    /// Sources that were added and never read.
    pub fn never_read(&self) -> &[SourceName] {
        &self.never_read
    }

    /// The systems of accounts and of what can be held, in order.
    pub fn systems_held(&self) -> Vec<&str> {
        let accounts = self.accounts.values().iter().map(|row| row.system);
        let entitlements = self.entitlements.values().iter().map(|row| row.system);
        let systems: BTreeSet<u32> = accounts.chain(entitlements).collect();
        let names = systems.into_iter().map(|system| self.systems.at(system));
        names.filter(|name| !name.is_empty()).collect()
    }

    /// How many identities there are.
    pub fn identity_count(&self) -> usize {
        self.identities.values().len()
    }

    /// The ids of all identities, in id order.
    pub fn identity_ids(&self) -> impl Iterator<Item = IdentityId> + '_ {
        (0..self.identity_ids.len()).map(|row| IdentityId::new(self.identity_ids.at(row)))
    }

    /// What an identity is; None where the snapshot does not have it.
    pub fn identity_kind(&self, id: &IdentityId) -> Option<IdentityKind> {
        self.identity(id).map(|row| self.identities.at(row).kind)
    }

    pub(crate) fn identity(&self, id: &IdentityId) -> Option<u32> {
        find(self.identity_ids.len(), |row| {
            self.identity_ids.at(row).cmp(id.as_str())
        })
    }

    /// Whether the sources say that somebody is not active any more.
    pub fn has_left(&self, id: &IdentityId) -> bool {
        let row = self.identity(id);
        row.is_some_and(|row| self.identities.at(row).status == Some(IdentityStatus::Inactive))
    }

    pub(crate) fn system(&self, name: &SystemName) -> Option<u32> {
        find(self.systems.len(), |row| {
            self.systems.at(row).cmp(name.as_str())
        })
    }

    pub(crate) fn credential(&self, system: &SystemName, id: &str) -> Option<u32> {
        let system = self.system(system)?;
        find(self.credentials.len(), |row| {
            let here = self.credentials.at(row);
            here.system
                .cmp(&system)
                .then_with(|| self.credential_ids.at(row).cmp(id))
        })
    }

    pub(crate) fn account(&self, system: &SystemName, id: &str) -> Option<u32> {
        let system = self.system(system)?;
        find(self.accounts.len(), |row| {
            let here = self.accounts.at(row);
            here.system
                .cmp(&system)
                .then_with(|| self.account_ids.at(row).cmp(id))
        })
    }

    /// The accounts that could be an identity's, or a record's that no source lists now, as well
    /// as another's: `system:id`, in order.
    pub(crate) fn accounts_in_doubt(&self, id: &str) -> Vec<String> {
        self.maybe.in_doubt(id)
    }

    /// The accounts that stayed with a record that no source lists now, in order.
    pub(crate) fn accounts_left_by(&self, record: &IdentityId) -> Vec<u32> {
        let texts = self.maybe.left_by(record.as_str()).iter();
        // Names of systems may hold colons, too.
        let named = |text: &str| {
            text.match_indices(':').find_map(|(colon, _)| {
                let (system, id) = (text.get(..colon)?, text.get(colon + 1..)?);
                self.account(&SystemName::new(system), id)
            })
        };
        let mut accounts: Vec<u32> = texts.filter_map(|text| named(text)).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Whether an account may still work at a moment: by itself, or by a key that it has.
    pub(crate) fn may_work(&self, account: u32, at: DateTime<Utc>) -> bool {
        let row = self.accounts.at(account);
        let open = |closes: Closing| closes > Closing::At(at);
        let mut keys = self.credentials_of.row(account).iter();
        row.enabled != Some(false) && open(row.expires)
            || keys.any(|key| {
                let key = self.credentials.at(*key);
                key.enabled != Some(false) && open(key.expires) && open(key.revoked)
            })
    }

    /// What stayed with those who worked for somebody until no source listed them, and may still
    /// work: a sentence each.
    pub(crate) fn left_with_former(
        &self,
        (employer, id): (u32, &str),
        at: DateTime<Utc>,
    ) -> impl Iterator<Item = String> {
        let former = self.undecided.worked_for(employer);
        former.flat_map(move |record| {
            let stayed = self.accounts_left_by(&IdentityId::new(record)).into_iter();
            let stayed = stayed.filter(move |account| self.may_work(*account, at));
            let stayed = stayed.map(move |account| {
                let account = self.account_text(account);
                format!("account `{account}` stayed with `{record}`, who worked for `{id}` and whom no source lists now")
            });
            let doubtful = self.maybe.in_doubt(record).into_iter().map(move |account| {
                format!("account `{account}` could be of `{record}`, who worked for `{id}` and whom no source lists now")
            });
            let custody = self.custody_left_by(record).into_iter().map(move |credential| {
                format!("credential `{credential}` is in the custody of `{record}`, who worked for `{id}` and whom no source lists now")
            });
            stayed.chain(doubtful).chain(custody).collect::<Vec<String>>()
        })
    }

    /// How many accounts that may work stayed with people whom no source lists now.
    pub fn stayed_with_nobody(&self, at: DateTime<Utc>) -> u64 {
        let records = self.maybe.stayed_with();
        let accounts = records.flat_map(|one| self.accounts_left_by(&IdentityId::new(one)));
        let accounts: BTreeSet<u32> = accounts.collect();
        let open = accounts.iter().filter(|row| self.may_work(**row, at));
        u64::try_from(open.count()).unwrap_or(u64::MAX)
    }

    /// The credentials that may work in the custody of a record that no source lists now.
    pub(crate) fn custody_left_by(&self, record: &str) -> Vec<&str> {
        let all = self.undecided.custody_left_by(record).iter();
        let may_work = |name: &&String| {
            let rows = name.match_indices(':').filter_map(|(colon, _)| {
                let (system, id) = (name.get(..colon)?, name.get(colon + 1..)?);
                self.credential(&SystemName::new(system), id)
            });
            let mut rows = rows.map(|row| self.credentials.at(row).enabled);
            rows.all(|enabled| enabled != Some(false))
        };
        all.filter(may_work).map(String::as_str).collect()
    }

    /// Who else could be of a vendor that exits: a sentence each.
    pub(crate) fn perhaps_of_vendor(
        &self,
        (vendor, id): (u32, &str),
    ) -> impl Iterator<Item = String> {
        let before = self.undecided.worked_for_before(vendor).iter();
        let before = before.filter(|person| match self.identities.at(**person).status {
            Some(IdentityStatus::Active | IdentityStatus::OnLeave) | None => false,
            Some(IdentityStatus::Pending | IdentityStatus::Inactive) => true,
        });
        let before = before.map(move |person| {
            let person = self.identity_ids.at(*person);
            format!("`{person}` worked for `{id}` by a record that no source lists now")
        });
        let near = writings(id).into_iter();
        let near = near.flat_map(|one| self.undecided.near_employer(one));
        let near = near.map(move |person| {
            let person = self.identity_ids.at(person);
            format!("`{person}` names an employer nearly as `{id}`, and nobody has that id")
        });
        let at_exit = self.undecided.at_exit(vendor).map(str::to_owned);
        before.chain(near).chain(at_exit)
    }

    pub(crate) fn account_system(&self, account: u32) -> u32 {
        self.accounts.at(account).system
    }

    /// `system:id` of an account.
    pub(crate) fn account_text(&self, account: u32) -> String {
        let system = self.systems.at(self.account_system(account));
        format!("{system}:{}", self.account_ids.at(account))
    }

    /// Kind, system and id of an item.
    pub(crate) fn names(&self, item: Item) -> (ItemKind, &str, &str) {
        match item {
            Item::Account(row) => (
                ItemKind::Account,
                self.systems.at(self.accounts.at(row).system),
                self.account_ids.at(row),
            ),
            Item::Credential(row) => (
                ItemKind::Credential,
                self.systems.at(self.credentials.at(row).system),
                self.credential_ids.at(row),
            ),
            Item::Entitlement { entitlement, .. } => (
                ItemKind::Entitlement,
                self.systems.at(self.entitlements.at(entitlement).system),
                self.entitlement_ids.at(entitlement),
            ),
            Item::Location(row) => (
                ItemKind::Location,
                self.systems.at(self.locations.at(row).system),
                self.location_ids.at(row),
            ),
        }
    }

    /// `kind system:id`, entitlements with ` on system:id`.
    pub(crate) fn words(&self, item: Item) -> String {
        let (kind, system, id) = self.names(item);
        let kind = match kind {
            ItemKind::Account => "account",
            ItemKind::Credential => "credential",
            ItemKind::Entitlement => "entitlement",
            ItemKind::Location => "location",
        };
        match item {
            Item::Entitlement { account, .. } => {
                format!("{kind} {system}:{id} on {}", self.account_text(account))
            }
            Item::Account(_) | Item::Credential(_) | Item::Location(_) => {
                format!("{kind} {system}:{id}")
            }
        }
    }

    /// `system:id` of the account on which an entitlement is held.
    pub(crate) fn on_account(&self, item: Item) -> Option<String> {
        match item {
            Item::Entitlement { account, .. } => Some(self.account_text(account)),
            Item::Account(_) | Item::Credential(_) | Item::Location(_) => None,
        }
    }

    /// Whose account something is or belongs to, where that is known.
    pub(crate) fn owner_of(&self, item: Item) -> Option<u32> {
        let account = match item {
            Item::Account(row) => row,
            Item::Credential(row) => self.credentials.at(row).account,
            Item::Entitlement { .. } | Item::Location(_) => NONE,
        };
        let identity = (account != NONE).then(|| self.accounts.at(account).identity);
        identity.filter(|identity| *identity != NONE)
    }

    /// The systems of entitlements that hold or may do something themselves.
    pub(crate) fn systems_of_groups(&self) -> impl Iterator<Item = u32> + '_ {
        let holds = |row: &u32| {
            !self.entitlement_grants.row(*row).is_empty()
                || !self.entitlement_reads.row(*row).is_empty()
                || !self.entitlement_controls.row(*row).is_empty()
                || self.loose(LooseEnd::ByEntitlement(*row)).next().is_some()
        };
        let rows = (0..self.entitlements.len()).filter(holds);
        let systems: BTreeSet<u32> = rows.map(|row| self.entitlements.at(row).system).collect();
        let named = |system: &u32| !self.systems.at(*system).is_empty();
        systems.into_iter().filter(named)
    }

    pub(crate) fn item_system(&self, item: Item) -> u32 {
        match item {
            Item::Account(row) => self.accounts.at(row).system,
            Item::Credential(row) => self.credentials.at(row).system,
            Item::Entitlement { entitlement, .. } => self.entitlements.at(entitlement).system,
            Item::Location(row) => self.locations.at(row).system,
        }
    }

    pub(crate) fn environment(&self, item: Item) -> Option<&str> {
        let row = match item {
            Item::Account(row) => self.accounts.at(row).environment,
            Item::Credential(row) => self.credentials.at(row).environment,
            Item::Entitlement { entitlement, .. } => self.entitlements.at(entitlement).environment,
            Item::Location(row) => self.locations.at(row).environment,
        };
        (row != NONE).then(|| self.environments.at(row))
    }

    /// The order of lists and of ties: kind, system, id, on_account.
    pub(crate) fn order(&self, item: Item) -> (ItemKind, u32, u32, u32) {
        match item {
            Item::Account(row) => (ItemKind::Account, row, 0, 0),
            Item::Credential(row) => (ItemKind::Credential, row, 0, 0),
            Item::Entitlement {
                entitlement,
                account,
            } => (
                ItemKind::Entitlement,
                entitlement,
                *self.system_text_order.at(self.account_system(account)),
                account,
            ),
            Item::Location(row) => (ItemKind::Location, row, 0, 0),
        }
    }

    /// What other records of an identity call it, and what it was called before.
    pub(crate) fn also_called(&self, identity: u32) -> impl Iterator<Item = u64> + '_ {
        let from = self.other_names.partition_point(|(row, _)| *row < identity);
        let rest = self.other_names.get(from..).unwrap_or(&[]).iter();
        rest.take_while(move |(row, _)| *row == identity)
            .map(|(_, called)| *called)
    }

    /// The kinds and systems of what an end leads to, where nothing holds that.
    pub(crate) fn loose(&self, end: LooseEnd) -> impl Iterator<Item = (Kind, u32)> + '_ {
        let from = self.loose.partition_point(|(one, _)| *one < end);
        let rest = self.loose.get(from..).unwrap_or(&[]).iter();
        rest.take_while(move |(one, _)| *one == end)
            .map(|(_, there)| *there)
    }

    pub(crate) fn owner_lines_of(&self, kind: ObjectType, object: u32) -> &[OwnerLine] {
        let lines = self.owner_lines.values();
        let from = lines.partition_point(|line| line.object < (kind, object));
        let rest = lines.get(from..).unwrap_or(&[]);
        let count = rest.partition_point(|line| line.object == (kind, object));
        rest.get(..count).unwrap_or(&[])
    }
}

/// Something that can be reached, by row numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    Account(u32),
    Credential(u32),
    Entitlement { entitlement: u32, account: u32 },
    Location(u32),
}

pub(super) fn find(rows: u32, compare: impl Fn(u32) -> std::cmp::Ordering) -> Option<u32> {
    let (mut from, mut to) = (0, rows);
    while from < to {
        let middle = from + (to - from) / 2;
        match compare(middle) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Greater => to = middle,
        }
    }
    None
}
