//! Two servers behind one face, the same people in both, and how a connector is driven.

use lastkey_contract::{
    Connector, ConnectorError, Fact, Kind, Note, NoteKind, Page, PageRequest, Secret, Settings,
};
use lastkey_tests::labs::{Extras, Seed, Slapd};
pub use lastkey_tests::labs::{Lab, Make};
use std::collections::{BTreeMap, BTreeSet};

pub const PEOPLE: &str = "ou=people,dc=example,dc=org";
pub const GROUPS: &str = "ou=groups,dc=example,dc=org";

/// The schema that people with SSH keys and dynamic groups need beside the lab's own.
pub const SCHEMA: &str = "include /etc/ldap/schema/dyngroup.schema\n\
    attributetype ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n\
    objectclass ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top AUXILIARY MAY sshPublicKey )\n";

/// What these cases do with either server.
pub trait Driven: Sized {
    fn start(make: Make, ldif: &str) -> Self;
    fn start_limited(make: Make, ldif: &str, size_limit: Option<u32>) -> Self;
    /// A connector signed in as the reader.
    fn reader(&self, more: &[(&str, &str)]) -> Box<dyn Connector>;
    fn login(&self, dn: &str, password: &str, more: &[(&str, &str)]) -> Box<dyn Connector>;
}

impl Driven for Lab {
    fn start(make: Make, ldif: &str) -> Lab {
        Lab::start_limited(make, ldif, None)
    }

    fn start_limited(make: Make, ldif: &str, size_limit: Option<u32>) -> Lab {
        let seed = Seed {
            ldif: ldif.to_owned(),
            size_limit,
        };
        let extras = Extras {
            global: SCHEMA,
            ..Extras::default()
        };
        Lab::of(make, seed, extras)
    }

    fn reader(&self, more: &[(&str, &str)]) -> Box<dyn Connector> {
        self.login(Slapd::READER_DN, Slapd::READER_PASSWORD, more)
    }

    fn login(&self, dn: &str, password: &str, more: &[(&str, &str)]) -> Box<dyn Connector> {
        let ca = self.ca_path();
        let url = self.ldaps_url();
        let mut pairs = vec![("url", url.as_str()), ("ca_file", ca.to_str().unwrap())];
        pairs.push(("bind_dn", dn));
        pairs.extend(more);
        configure(&pairs, Some(password))
    }
}

pub fn configure(pairs: &[(&str, &str)], password: Option<&str>) -> Box<dyn Connector> {
    let settings = settings(pairs);
    let secret = password.map(|p| Secret::new(p.to_owned()));
    lastkey_ldap::configure(&settings, secret).unwrap()
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in [
        ("base_dn", Slapd::BASE),
        ("system", "corp"),
        ("timeout", "20"),
    ]
    .iter()
    .chain(pairs)
    {
        settings.0.insert((*key).to_owned(), (*value).to_owned());
    }
    settings
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

pub fn try_read(
    connector: &dyn Connector,
    (kind, limit): (Kind, u32),
    since: Option<&str>,
) -> Result<Vec<Page>, ConnectorError> {
    run(async {
        let mut session = connector.connect().await?;
        let mut pages: Vec<Page> = Vec::new();
        loop {
            let request = PageRequest {
                cursor: pages.last().and_then(|p| p.next.clone()),
                limit,
                since: since.map(str::to_owned),
            };
            let page = session.read_page(kind, request).await?;
            let last = page.next.is_none();
            pages.push(page);
            if last {
                return Ok(pages);
            }
        }
    })
}

pub fn read(connector: &dyn Connector, kind: Kind) -> Vec<Page> {
    try_read(connector, (kind, 20_000), None).unwrap()
}

pub fn facts(pages: &[Page]) -> Vec<Fact> {
    pages.iter().flat_map(|p| p.records.clone()).collect()
}

pub fn notes(pages: &[Page], kind: NoteKind) -> Vec<Note> {
    let all = pages.iter().flat_map(|p| p.notes.clone());
    all.filter(|n| n.kind == kind).collect()
}

/// What an engine would hold after reads of one kind: rows by key, full reads and changes alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held(pub BTreeMap<String, BTreeSet<String>>);

impl Held {
    /// The parent of a row, as `Page::whole` names it.
    fn parent(fact: &Fact) -> String {
        match fact {
            Fact::Grant(g) => format!("{}\u{1f}{}", g.system, g.entitlement_id),
            Fact::Credential(c) => {
                let account = c.account_id.as_ref().unwrap();
                format!("{}\u{1f}{account}", c.system)
            }
            other => other.key(),
        }
    }

    /// Every row.
    pub fn rows(&self) -> BTreeSet<&String> {
        self.0.values().flatten().collect()
    }

    /// Takes pages in as the contract says.
    pub fn take(&mut self, pages: &[Page]) {
        for page in pages {
            for parent in &page.whole {
                self.0.remove(parent);
            }
        }
        for page in pages {
            for fact in &page.records {
                let row = format!("{} {}", fact.key(), serde_json::to_string(fact).unwrap());
                let rows = self.0.entry(Held::parent(fact)).or_default();
                let key = format!("{} ", fact.key());
                rows.retain(|r| !r.starts_with(&key));
                rows.insert(row);
            }
        }
        for page in pages {
            for gone in &page.gone {
                self.0.remove(gone);
            }
        }
        self.0.retain(|_, rows| !rows.is_empty());
    }
}

/// One person; `more` are further LDIF lines. Lines of one attribute must stand together.
pub fn person(make: Make, rdn: &str, uid: &str, n: u32, more: &str) -> String {
    let (classes, more): (Vec<&str>, Vec<&str>) =
        more.lines().partition(|l| l.starts_with("objectClass:"));
    let cn = match more.iter().any(|l| l.starts_with("cn:")) {
        true => String::new(),
        false => format!("cn: {uid}\n"),
    };
    let lines = |lines: Vec<&str>| -> String { lines.iter().map(|l| format!("{l}\n")).collect() };
    format!(
        "dn: {rdn},{PEOPLE}\nobjectClass: inetOrgPerson\n{}uid: {uid}\n{cn}sn: {uid}\n{}userPassword: canary-value-{n}\n{}\n",
        lines(classes),
        make.id_line(n),
        lines(more)
    )
}

pub fn group(make: Make, cn: &str, n: u32, members: &[String]) -> String {
    let members: String = members.iter().map(|m| format!("member: {m}\n")).collect();
    format!(
        "dn: cn={cn},{GROUPS}\nobjectClass: groupOfNames\ncn: {cn}\n{}{members}\n",
        make.id_line(n)
    )
}
