//! Secrets that pass through the window stay nowhere: not in its page, its storage, its logs,
//! its files, the store, a package, nor in an image of its memory.

use super::steps::*;
use lastkey_tests::dom::{Texts, found};
use lastkey_tests::hunt::{Canary, Hunt, hunt};
use lastkey_tests::labs::{Seed, Slapd};
use lastkey_tests::opened::Opened;
use lastkey_tests::safe::{Login, Safe};
use lastkey_tests::window::{Room, Window};

/// A window whose every trace stays in the room, and all texts that its page ever held.
struct Watched {
    room: Room,
    window: Window,
    texts: Texts,
    canaries: Vec<Canary>,
    recovery_key: String,
}

impl Watched {
    async fn open(mut canaries: Vec<Canary>) -> Watched {
        let mut room = Room::new();
        for (variable, folder) in [("XDG_CACHE_HOME", "cache"), ("TMPDIR", "tmp")] {
            let folder = room.path(folder);
            std::fs::create_dir(&folder).unwrap();
            room.set(variable, &folder.display().to_string());
        }
        room.set("RUST_LOG", "trace");
        room.set("RUST_BACKTRACE", "full");
        let window = Window::open(&room, &[]).await;
        let recovery_key = through_the_recovery_key(&window).await;
        canaries.push(Canary::new("the recovery key", &recovery_key));
        Watched {
            room,
            window,
            texts: Texts::default(),
            canaries,
            recovery_key,
        }
    }

    async fn gather(&mut self, moment: &str) {
        self.texts.gather(&self.window, moment).await;
    }

    /// The wizard with a wrong secret first, then the right one; the first read; the page.
    async fn add(
        &mut self,
        kind: &str,
        name: &str,
        settings: &[(&str, &str)],
        [wrong, right]: [&str; 2],
    ) {
        let wrong_one = Canary::new(&format!("the wrong secret of {name}"), wrong);
        self.canaries.push(wrong_one.clone());
        to_the_check(&self.window, kind, name, settings, Some(wrong)).await;
        self.window
            .wait_for("[data-test=\"check-result\"][data-state=\"failed\"]")
            .await;
        self.gather("a check that failed").await;
        self.window.click("wizard-back").await;
        until_step(&self.window, "secret").await;
        // That the looking itself finds things: here the field holds the secret.
        let held = found(&self.window, std::slice::from_ref(&wrong_one)).await;
        assert!(
            held.iter().any(|place| place.contains("value of INPUT")),
            "the secret in its own field is not found: {held:?}"
        );
        assert!(
            held.iter().all(|place| place.contains("value of INPUT")),
            "the secret is in more than its own field: {held:?}"
        );
        self.window.fill("source-secret", right).await;
        self.window.click("wizard-next").await;
        answered(&self.window).await;
        self.gather("a check that was answered").await;
        self.window.click("wizard-next").await;
        first_read(&self.window).await;
        self.gather("the first read").await;
        self.window.click("wizard-next").await;
        self.window.part("runs-table").await;
        self.gather("the source's page").await;
    }

    /// Puts another secret in the place of the right one and reads: it fails, and says why.
    async fn fail(&mut self, wrong: &str) {
        let window = &self.window;
        window.click("replace-secret").await;
        until_step(window, "secret").await;
        window.fill("source-secret", wrong).await;
        window.click("wizard-next").await;
        window
            .wait_for("[data-test=\"check-result\"][data-state=\"failed\"]")
            .await;
        window.click("add-anyway").await;
        window.part("area-source").await;
        window.click("sync-one").await;
        window
            .text_where("source-state", |text| text.contains("Not read"))
            .await;
        self.gather("a read that failed").await;
    }

    /// Every other screen, a package, and the lock; then everything is looked through.
    async fn hold_none(mut self, surely_there: &str) {
        for area in [
            "overview",
            "sources",
            "identities",
            "credentials",
            "tests",
            "settings",
        ] {
            self.window.click(&format!("nav-{area}")).await;
            let ready = format!("[data-test=\"area-{area}\"][data-ready]");
            self.window.wait_for(&ready).await;
            self.gather(area).await;
        }
        export(&self.window, &self.room).await;
        self.gather("evidence").await;
        self.window.click("lock-now").await;
        self.window.part("locked").await;
        self.gather("the lock").await;
        self.no_core().await;
        self.looking_finds().await;
        self.window.close().await;

        let opened = Opened::with_recovery_key(&self.room.store(), &self.recovery_key);
        self.canaries.extend(opened.canaries());
        let mut hunted = hunt(&self.room.path(""), &[], &self.canaries);
        let files = hunted.looked_at.len();
        let dump = opened.dump().await;
        hunted.bytes("the store, decrypted", dump.as_bytes(), &self.canaries);
        self.texts.hunt(&mut hunted, &self.canaries);
        hunted.nothing_found(files + 1000);
        let said = self.room.said();
        assert!(
            hunted
                .looked_at
                .iter()
                .any(|(place, _)| *place == said.display().to_string()),
            "the window's own log was looked into"
        );
        let mut proof = Hunt::default();
        let there = [Canary::new(surely_there, surely_there)];
        proof.bytes("the store, decrypted", dump.as_bytes(), &there);
        self.texts.hunt(&mut proof, &there);
        assert!(
            proof.found.iter().any(|place| place.contains("decrypted")) && proof.found.len() > 1,
            "`{surely_there}` is in the store and was on the screen: {:?}",
            proof.found
        );
    }

    /// Whoever brings the window down gets no image of its memory.
    async fn no_core(&self) {
        let mut looked_at = Vec::new();
        for process in self.window.processes() {
            let of = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}"));
            let name = of("comm").unwrap_or_default().trim().to_owned();
            if !(name.starts_with("lastkey") || name.starts_with("WebKitWebP")) {
                continue;
            }
            let limits = match of("limits") {
                // The system lets nobody but root look into a process whose memory is not dumped.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    looked_at.push(name);
                    continue;
                }
                read => read.unwrap(),
            };
            let line = limits
                .lines()
                .find(|line| line.starts_with("Max core file size"));
            let words: Vec<&str> = line.unwrap().split_whitespace().collect();
            assert_eq!(
                words.get(4..6),
                Some(&["0", "0"][..]),
                "{name} leaves a core"
            );
            looked_at.push(name);
        }
        for wanted in ["lastkey", "WebKitWebP"] {
            assert!(
                looked_at.iter().any(|name| name.starts_with(wanted)),
                "{wanted} was looked at: {looked_at:?}"
            );
        }
    }

    /// What stands somewhere in the page is found, wherever it is and however it is written.
    async fn looking_finds(&self) {
        let planted = [
            (
                "localStorage.setItem('x', 'planted-in-storage-1')",
                "planted-in-storage-1",
            ),
            (
                "sessionStorage.setItem('planted-as-a-key-2', '')",
                "planted-as-a-key-2",
            ),
            (
                "history.replaceState({ deep: ['planted-in-history-3'] }, '')",
                "planted-in-history-3",
            ),
            (
                "document.body.setAttribute('data-x', btoa('x planted-as-base64-4'))",
                "planted-as-base64-4",
            ),
            (
                "document.body.append(document.createComment('planted-in-comment-5'))",
                "planted-in-comment-5",
            ),
            (
                "document.body.append(Object.assign(document.createElement('input'), { value: encodeURIComponent('planted <in> value 6') }))",
                "planted <in> value 6",
            ),
            (
                "document.body.lastChild.hung = new Map([[1, { in: ['planted-on-node-7'] }]])",
                "planted-on-node-7",
            ),
            (
                "window.somewhere = { deep: () => {} }; window.somewhere.deep.er = 'planted-on-function-8'",
                "planted-on-function-8",
            ),
            (
                "document.body.attachShadow({ mode: 'open' }).innerHTML = '<p title=\"706c616e7465642d6865782d39\"></p>'",
                "planted-hex-9",
            ),
        ];
        let canaries: Vec<Canary> = planted
            .iter()
            .map(|(_, text)| Canary::new(text, text))
            .collect();
        let before = found(&self.window, &canaries).await;
        assert!(before.is_empty(), "{before:?}");
        for (script, _) in planted {
            self.window.script(script).await;
        }
        let after = found(&self.window, &canaries).await;
        for (_, text) in planted {
            assert!(
                after.iter().any(|place| place.starts_with(text)),
                "`{text}` is not found: {after:?}"
            );
        }
        self.window
            .script("localStorage.clear(); sessionStorage.clear();")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_of_a_directory_stays_nowhere() {
    let lab = Slapd::start(Seed {
        ldif: "dn: uid=ann,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann Archer\nsn: Archer\nemployeeNumber: 1001\nmail: ann.archer@example.org\nuserPassword: kept-by-slapd-canary\n\n".to_owned(),
        size_limit: None,
    });
    let mut watched = Watched::open(vec![
        Canary::new("the bind password", Slapd::READER_PASSWORD),
        Canary::new("a person's password", "kept-by-slapd-canary"),
    ])
    .await;
    let (url, ca) = (lab.ldaps_url(), lab.ca_path().display().to_string());
    let settings = [
        ("url", url.as_str()),
        ("bind_dn", Slapd::READER_DN),
        ("base_dn", Slapd::BASE),
        ("ca_file", ca.as_str()),
        ("system", "corp-ldap"),
        ("identities", "yes"),
    ];
    let secrets = ["canary-wrong <\"p\u{e4}ss\"> & 5%", Slapd::READER_PASSWORD];
    watched.add("ldap", "directory", &settings, secrets).await;
    let (again, what) = ("canary-wrong-again-9f2", "the wrong password of the read");
    watched.canaries.push(Canary::new(what, again));
    watched.fail(again).await;
    watched.hold_none(Slapd::READER_DN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_vault_keeps_and_what_opens_it_stay_nowhere() {
    let case = "canaries of a vault in the window";
    let Some(safe) = Safe::start_or_not_run(case) else {
        return;
    };
    let mut watched = Watched::open(safe.canaries()).await;
    let login = Login::UserPass;
    let settings = safe.settings(login);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let secrets = ["canary-wrong <\"p\u{e4}ss\"> & 5%", safe.secret(login)];
    watched.add("vault", "safe", &settings, secrets).await;

    // With consent its values are read, and reduced.
    let window = &watched.window;
    window.click("fingerprints-on").await;
    consent(window, safe.values_token()).await;
    let read = safe.lab.audited(0).len();
    window.click("sync-one").await;
    eventually("values are read", || {
        let log = safe.lab.audited(read);
        log.iter().any(|one| one.path == "secret/data/db/prod")
    })
    .await;
    window.part("sync-one").await;
    complete(window).await;
    watched.gather("values reduced").await;
    let (again, what) = ("canary-wrong-again-9f2", "the wrong password of the read");
    watched.canaries.push(Canary::new(what, again));
    watched.fail(again).await;
    watched.hold_none("vault-userpass").await;
}
