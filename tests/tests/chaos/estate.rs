//! An estate in flat files as it stood on each of several days: so many rows that they come in
//! several pages, with people who come, move and leave, and rows that appear, change and go.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PEOPLE: u32 = 60;
const ACCOUNTS: u32 = 450;
const GROUPS: u32 = 40;
const GRANTS: u32 = 3_000;
const SECRETS: u32 = 50;

/// Folders of CSV files, one per day.
pub struct Days(TempDir);

impl Days {
    /// Days 1 to 3.
    pub fn new() -> Self {
        let days = Self(tempfile::tempdir().expect("a temporary folder"));
        for day in 1..=3 {
            write(&days.day(day), day);
        }
        days
    }

    pub fn day(&self, day: u32) -> PathBuf {
        self.0.path().join(day.to_string())
    }
}

/// Whether the thing of this number differs from day to day: about one in so many does.
fn stirred(number: u32, day: u32, one_in: u32) -> bool {
    (number.wrapping_mul(2_654_435_761) >> 8)
        .wrapping_add(day * 7)
        .is_multiple_of(one_in)
}

fn write(folder: &Path, day: u32) {
    std::fs::create_dir_all(folder).expect("the day's folder");
    let there = |number: u32| !stirred(number, day, 23);
    let people: Vec<u32> = (0..PEOPLE).filter(|&n| there(n)).collect();

    let mut text = "id,kind,display_name,email,status,department\n".to_owned();
    for n in &people {
        let department = if stirred(*n, day, 11) {
            day + 100
        } else {
            n % 7
        };
        writeln!(
            text,
            "p{n},person,Persön {n},p{n}@example.org,active,d{department}"
        )
        .unwrap();
    }
    file(folder, "identities", &text);

    let mut text = "system,id,name,kind,identity_id,enabled,local_sign_in\n".to_owned();
    for n in (0..ACCOUNTS).filter(|&n| there(n)) {
        let (kind, owner) = match n < PEOPLE {
            true => ("human", format!("p{n}")),
            false => ("service", String::new()),
        };
        let enabled = !stirred(n, day, 17);
        writeln!(text, "corp,a{n},login{n},{kind},{owner},{enabled},true").unwrap();
    }
    file(folder, "accounts", &text);

    let mut text = "system,id,name,kind,privileged\n".to_owned();
    for n in 0..GROUPS {
        writeln!(
            text,
            "corp,g{n},Group {n} on day {},group,{}",
            day / (1 + n % 3),
            n % 9 == 0
        )
        .unwrap();
    }
    file(folder, "entitlements", &text);

    let mut text =
        "system,entitlement_id,principal_type,principal_system,principal_id\n".to_owned();
    for n in (0..GRANTS).filter(|&n| there(n)) {
        // Some are there twice: grants may repeat.
        for _ in 0..1 + u32::from(n % 97 == 0) {
            writeln!(
                text,
                "corp,g{},account,corp,a{}",
                n % GROUPS,
                n * 7 % ACCOUNTS
            )
            .unwrap();
        }
    }
    for n in 1..GROUPS / 4 {
        writeln!(text, "corp,g{n},entitlement,corp,g{}", n + GROUPS / 2).unwrap();
    }
    file(folder, "grants", &text);

    let mut text = "system,id,kind,account_id,last_rotated_at\n".to_owned();
    for n in (0..SECRETS).filter(|&n| there(n)) {
        writeln!(
            text,
            "corp,k{n},api_key,a{n},2026-01-{:02}",
            1 + (n + day) % 28
        )
        .unwrap();
    }
    file(folder, "credentials", &text);

    let mut text = "system,path,credential_system,credential_id,kind\n".to_owned();
    for n in (0..SECRETS).filter(|&n| there(n)) {
        writeln!(text, "safe,kv/team{}/k{n},corp,k{n},vault", n % 5).unwrap();
    }
    file(folder, "locations", &text);

    let mut text = "system,path,principal_type,principal_system,principal_id\n".to_owned();
    for n in (0..SECRETS).filter(|&n| there(n)) {
        writeln!(
            text,
            "safe,kv/team{}/k{n},entitlement,corp,g{}",
            n % 5,
            n % GROUPS
        )
        .unwrap();
    }
    file(folder, "readers", &text);
    file(
        folder,
        "controls",
        "system,account_id,principal_type,principal_id,means\n",
    );
    file(
        folder,
        "owners",
        "object_type,system,object_id,owner_id,role\n",
    );
}

fn file(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(format!("{name}.csv")), text).expect("the file");
}

/// A plan that closes accounts within an hour.
pub const PLAN: &str = "[[step]]\non = \"leaver\"\nsystem = \"corp\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"1h\"\n";
