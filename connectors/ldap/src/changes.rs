//! An incremental read: what changed since a watermark, told by the directory, turned into the
//! same facts as a full read would give, with what is gone and what was read whole.

use crate::dn;
use crate::entry::Entry;
use crate::index::{Half, Index};
use crate::map::{Sort, group_key, member_values};
use crate::scan::Scan;
use crate::search::{Pages, Query, one};
use crate::session::Reading;
use crate::sync::{self, Changed};
use crate::watermark::{Watermark, moment, queries};
use lastkey_contract::{ConnectorError, Kind};
use ldap3::ldap_escape;
use std::collections::{BTreeSet, HashSet};
use tokio::task::JoinSet;

/// Unknown members that are looked up one by one; beyond, everybody is read once.
const MOST_LOOKED_UP: usize = 5_000;
/// Look-ups under way at once.
const AT_ONCE: usize = 16;
/// Terms of one filter.
const TERMS: usize = 50;

/// Fills a scan with everything that changed since the watermark.
pub async fn begin(
    reading: &mut Reading,
    mut scan: Scan,
    since: &str,
) -> Result<Scan, ConnectorError> {
    let kind = scan.kind;
    let queries = queries(reading, kind);
    if queries.is_empty() || !reading.is_incremental(kind) {
        return Err(sync::lost(
            &reading.link,
            "it tells no changes of this kind",
        ));
    }
    let mut mark = Watermark::parse(since, &queries)
        .ok_or_else(|| sync::lost(&reading.link, "the watermark belongs to other settings"))?;
    // The watermark was given for questions in this order.
    let mut told = Vec::new();
    let mut moments = Vec::new();
    for (query, cookie) in queries.iter().zip(&mut mark.cookies) {
        moments.push(moment(cookie));
        let changed = sync::changes(&reading.link, query, cookie.clone()).await?;
        if let Some(next) = &changed.cookie {
            cookie.clone_from(next);
        }
        told.push(changed);
    }
    // What an earlier read of this session knew may have changed.
    reading.index = Index::default();
    let since =
        moments.into_iter().flatten().min().ok_or_else(|| {
            sync::lost(&reading.link, "it does not say from when its watermark is")
        })?;
    let mut told = told.into_iter();
    let first = told.next().unwrap_or_default();
    match kind {
        Kind::Account | Kind::Entitlement => {
            let sort = match kind {
                Kind::Account => Sort::Account,
                _ => Sort::Group,
            };
            let moved = told.next().unwrap_or_default().entries;
            if moved.iter().any(|entry| !is_new(entry, &since)) {
                let why = "what lies below a changed folder may have been moved with it";
                return Err(sync::lost(&reading.link, why));
            }
            plain(reading, &mut scan, sort, first);
        }
        Kind::Credential => credentials(reading, &mut scan, first).await?,
        Kind::Grant => {
            let people = told.next().unwrap_or_default();
            let there = still_there(reading, &[&first, &people]).await?;
            let containers = told.next().unwrap_or_default();
            only_new(reading, &[&first, &people, &containers], &there, &since)?;
            grants(reading, &mut scan, first, people, &there).await?;
        }
        Kind::Identity
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Session
        | Kind::Task => {}
    }
    scan.describe(&queries);
    scan.watermark = Some(mark.to_text(&queries));
    Ok(scan)
}

/// Kinds of which one entry is one object.
fn plain(reading: &mut Reading, scan: &mut Scan, sort: Sort, changed: Changed) {
    scan.gone = keys(reading, &changed.deleted);
    for entry in changed.entries {
        scan.push(sort, entry, &reading.index);
    }
}

/// Everything that changed people sign in with. Of somebody who is gone nothing is left.
async fn credentials(
    reading: &Reading,
    scan: &mut Scan,
    changed: Changed,
) -> Result<(), ConnectorError> {
    let d = &reading.directory;
    scan.whole = keys(reading, &changed.deleted);
    let id_of = |entry: &Entry| entry.one(&d.id_attribute).map(str::to_owned);
    let unsure = changed
        .entries
        .iter()
        .filter(|e| !e.has("pwdChangedTime"))
        .filter_map(id_of)
        .collect();
    let with_password: HashSet<String> = by_id(reading, unsure, "(userPassword=*)", &[])
        .await?
        .iter()
        .filter_map(id_of)
        .collect();
    for entry in changed.entries {
        let id = id_of(&entry).unwrap_or_default();
        scan.whole.push(group_key(d, &id));
        let has_keys = entry.has("userCertificate") || entry.has("sshPublicKey");
        if entry.has("pwdChangedTime") || with_password.contains(&id) {
            scan.push(Sort::Password, entry.clone(), &reading.index);
        }
        if has_keys {
            scan.push(Sort::Keys, entry, &reading.index);
        }
    }
    Ok(())
}

/// Whether an entry was surely not there yet: in the same second it could have been.
fn is_new(entry: &Entry, since: &str) -> bool {
    let created = entry.one("createTimestamp").and_then(|at| at.get(..14));
    created.is_some_and(|created| created > since)
}

/// Only what is new is sure to change nothing else. A group that goes on naming somebody who was
/// deleted or renamed is not told, and neither is the old name; where the overlay refint takes them
/// out of the group, it leaves no trace on it: no time, no change number, not always its own name.
fn only_new(
    reading: &Reading,
    told: &[&Changed],
    there: &[Entry],
    since: &str,
) -> Result<(), ConnectorError> {
    let d = &reading.directory;
    let entries = || told.iter().flat_map(|changed| &changed.entries);
    let present: HashSet<&str> = entries()
        .chain(there)
        .filter_map(|entry| entry.one(&d.id_attribute))
        .collect();
    let gone = |id: &[u8; 16]| !present.contains(uuid(id).as_str());
    let somebody_went = told.iter().flat_map(|changed| &changed.deleted).any(gone);
    match !somebody_went && entries().all(|entry| is_new(entry, since)) {
        true => Ok(()),
        false => Err(sync::lost(
            &reading.link,
            "somebody was changed, and no group tells whether it named them by another name",
        )),
    }
}

/// Every membership of each group that changed, or that changed people make different.
async fn grants(
    reading: &mut Reading,
    scan: &mut Scan,
    groups: Changed,
    people: Changed,
    there: &[Entry],
) -> Result<(), ConnectorError> {
    for entry in &people.entries {
        reading.learn(Sort::Account, entry);
    }
    for entry in &groups.entries {
        reading.learn(Sort::Group, entry);
    }
    let d = reading.directory.clone();
    let id_of = |entry: &Entry| entry.one(&d.id_attribute).map(str::to_owned);
    let changed: HashSet<String> = groups.entries.iter().filter_map(id_of).collect();
    // A group can have listed somebody before they were there, or before they had this name.
    let told = people.entries.iter().chain(&groups.entries).chain(there);
    let mut more = naming(reading, &told.collect::<Vec<_>>()).await?;
    let somebody_changed = !people.entries.is_empty() || !people.deleted.is_empty();
    let by_number = format!("(&{}(gidNumber=*))", d.people);
    let by_uid = format!("(&{}(memberUid=*))", d.groups);
    if somebody_changed && (exists(reading, &by_number).await? || exists(reading, &by_uid).await?) {
        // Primary groups stand in the people's entries and uids in the groups', and nobody tells
        // what stood there before.
        let filter = format!("(&{}(|(gidNumber=*)(memberUid=*)))", d.groups);
        more.extend(ids(reading, &filter).await?);
        reading.know(Half::People, scan).await?;
    }
    more.retain(|id| !changed.contains(id));
    let names = Sort::Members.attributes(&d);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let more = by_id(reading, more.into_iter().collect(), &d.groups, &names).await?;
    let entries: Vec<Entry> = groups.entries.into_iter().chain(more).collect();
    resolve(reading, scan, &entries).await?;
    scan.whole = keys(reading, &groups.deleted);
    for entry in entries {
        scan.whole
            .extend(id_of(&entry).map(|id| group_key(&d, &id)));
        scan.push(Sort::Members, entry, &reading.index);
    }
    Ok(())
}

/// Entries that are told as deleted and are there: the filters do not meet them, now or ever. A
/// group that names one is not told.
async fn still_there(reading: &Reading, told: &[&Changed]) -> Result<Vec<Entry>, ConnectorError> {
    let d = &reading.directory;
    let met: HashSet<&str> = told
        .iter()
        .flat_map(|changed| &changed.entries)
        .filter_map(|entry| entry.one(&d.id_attribute))
        .collect();
    let gone: BTreeSet<String> = told
        .iter()
        .flat_map(|changed| &changed.deleted)
        .map(uuid)
        .filter(|id| !met.contains(id.as_str()))
        .collect();
    by_id(reading, gone.into_iter().collect(), "", &[]).await
}

/// The keys of deleted entries.
fn keys(reading: &Reading, deleted: &[[u8; 16]]) -> Vec<String> {
    let mut keys: Vec<String> = deleted
        .iter()
        .map(|id| group_key(&reading.directory, &uuid(id)))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// An id as the directory writes it.
fn uuid(id: &[u8; 16]) -> String {
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}

/// Entries below the base that a filter meets, with these attributes.
async fn all(
    reading: &Reading,
    filter: String,
    names: &[&str],
) -> Result<Vec<Entry>, ConnectorError> {
    let mut names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    if !names.contains(&reading.directory.id_attribute) {
        names.push(reading.directory.id_attribute.clone());
    }
    let query = Query::below(&reading.directory.base_dn, filter, names);
    let operation = "ask what changed".to_owned();
    let mut pages = Pages::begin(&reading.link, query, 1_000, None, operation);
    let mut found = Vec::new();
    while let Some(answer) = pages.next().await {
        let answer = answer?;
        if answer.clipped.is_some() || answer.referrals > 0 || answer.broken > 0 {
            return Err(sync::lost(&reading.link, "it cut an answer"));
        }
        found.extend(answer.entries);
    }
    Ok(found)
}

async fn ids(reading: &Reading, filter: &str) -> Result<Vec<String>, ConnectorError> {
    let found = all(reading, filter.to_owned(), &[]).await?;
    let id_of = |e: &Entry| e.one(&reading.directory.id_attribute).map(str::to_owned);
    Ok(found.iter().filter_map(id_of).collect())
}

async fn exists(reading: &Reading, filter: &str) -> Result<bool, ConnectorError> {
    let names = vec!["1.1".to_owned()];
    let query = Query::below(&reading.directory.base_dn, filter, names);
    let answer = crate::search::page(&reading.link, &query, 1, None, "ask what changed").await?;
    // an answer that was cut can hide one
    Ok(!answer.entries.is_empty() || answer.clipped.is_some() || answer.broken > 0)
}

/// The entries with these ids that also meet a filter.
async fn by_id(
    reading: &Reading,
    ids: Vec<String>,
    filter: &str,
    names: &[&str],
) -> Result<Vec<Entry>, ConnectorError> {
    let mut found = Vec::new();
    for part in ids.chunks(TERMS) {
        let terms: String = part
            .iter()
            .map(|id| format!("({}={})", reading.directory.id_attribute, ldap_escape(id)))
            .collect();
        found.extend(all(reading, format!("(&{filter}(|{terms}))"), names).await?);
    }
    Ok(found)
}

/// The groups that list one of these entries as a member.
async fn naming(reading: &Reading, told: &[&Entry]) -> Result<BTreeSet<String>, ConnectorError> {
    let mut found = BTreeSet::new();
    for part in told.chunks(TERMS) {
        let mut terms = String::new();
        for entry in part {
            let dn = ldap_escape(entry.dn.as_str());
            terms.push_str(&format!("(member={dn})(uniqueMember={dn})"));
            for uid in entry.all("uid") {
                terms.push_str(&format!("(memberUid={})", ldap_escape(uid)));
            }
        }
        let filter = format!("(&{}(|{terms}))", reading.directory.groups);
        found.extend(ids(reading, &filter).await?);
    }
    Ok(found)
}

/// Learns who the members of these groups are.
async fn resolve(
    reading: &mut Reading,
    scan: &mut Scan,
    groups: &[Entry],
) -> Result<(), ConnectorError> {
    let base = dn::normal(&reading.directory.base_dn);
    let below = format!(",{base}");
    let mut unknown: BTreeSet<&str> = BTreeSet::new();
    let mut uids: BTreeSet<&str> = BTreeSet::new();
    let mut scratch = String::new();
    let values: usize = groups
        .iter()
        .map(|g| member_values(g, &reading.index))
        .sum();
    for group in groups {
        let unique = group.all("uniqueMember").map(dn::without_uid);
        for member in group.all("member").chain(unique) {
            let known = reading.index.by_dn(member, &mut scratch).is_some();
            if !known && scratch.ends_with(&below) {
                unknown.insert(member);
            }
        }
        uids.extend(group.all("memberUid").filter(|u| !u.is_empty()));
        if unknown.len() > MOST_LOOKED_UP && values > MOST_LOOKED_UP {
            break;
        }
    }
    if unknown.len() + uids.len() > MOST_LOOKED_UP {
        reading.know(Half::People, scan).await?;
        return reading.know(Half::Groups, scan).await;
    }
    let names = ["uid", "gidNumber"];
    if !reading.index.has(Half::People) {
        let uids: Vec<&str> = uids.into_iter().collect();
        for part in uids.chunks(TERMS) {
            let terms: String = part
                .iter()
                .map(|uid| format!("(uid={})", ldap_escape(*uid)))
                .collect();
            let filter = format!("(&{}(|{terms}))", reading.directory.people);
            for entry in all(reading, filter, &names).await? {
                reading
                    .index
                    .learn(&reading.directory, Half::People, &entry);
            }
        }
    }
    look_up(reading, unknown.into_iter().map(str::to_owned).collect()).await
}

/// Looks at each of these entries, several at a time.
async fn look_up(reading: &mut Reading, dns: Vec<String>) -> Result<(), ConnectorError> {
    let d = reading.directory.clone();
    let mut tasks = JoinSet::new();
    for part in dns.chunks(dns.len().div_ceil(AT_ONCE).max(1)) {
        let (part, link, d) = (part.to_vec(), reading.link.clone(), d.clone());
        tasks.spawn(async move {
            let operation = "look up members";
            let mut found = Vec::new();
            for dn in &part {
                let people = Query::at(dn, &d.people, &[&d.id_attribute, "uid", "gidNumber"]);
                if let Some(entry) = one(&link, &people, operation).await? {
                    found.push((Half::People, entry));
                    continue;
                }
                let groups = Query::at(dn, &d.groups, &[&d.id_attribute]);
                if let Some(entry) = one(&link, &groups, operation).await? {
                    found.push((Half::Groups, entry));
                }
            }
            Ok::<_, ConnectorError>(found)
        });
    }
    while let Some(done) = tasks.join_next().await {
        let found =
            done.unwrap_or_else(|_| Err(sync::lost(&reading.link, "a look-up ended early")))?;
        for (half, entry) in found {
            reading.index.learn(&d, half, &entry);
        }
    }
    Ok(())
}
