//! Every connector through every fault that it can meet.

use super::{Patient, beside, faults, files, of_a_server, run, vault, web};
use super::{kubernetes, postgresql, workstation};
use crate::{flat_files, not_run};
use lastkey_conformance::{Answer, Scene, Subject};

#[test]
fn seeded_through_every_fault() {
    use lastkey_conformance::seeded::{Flaw, Seeded};
    let subject: &'static Seeded = Box::leak(Box::new(Seeded::start(Flaw::None).unwrap()));
    run(Patient {
        name: "seeded",
        healthy: faults::healthy(subject),
        system: "seeded",
        leaver: "006",
        beside: None,
        faults: of_a_server(subject, Some("/v1/account?")),
        requests: Vec::new(),
    });
}

#[test]
fn ldap_through_every_fault() {
    use crate::ldap::Ldap;
    let subject: &'static Ldap =
        Box::leak(Box::new(Ldap::start(lastkey_tests::labs::Make::OpenLdap)));
    // Whatever becomes of the test, its server does not outlive it.
    struct Ends(&'static Ldap);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.end();
        }
    }
    let _ends = Ends(subject);
    let healthy = faults::healthy(subject);
    let folder = beside("0010", healthy.as_ref());
    run(Patient {
        name: "ldap",
        healthy,
        system: "corp-ldap",
        leaver: "0010",
        beside: Some(folder.path().to_path_buf()),
        faults: of_a_server(subject, None),
        requests: Vec::new(),
    });
}

#[test]
fn flat_files_through_every_fault() {
    let place = files::Place::made();
    run(Patient {
        name: "flat-files",
        healthy: flat_files::connector(place.folder()),
        system: "corp",
        leaver: "006",
        beside: None,
        faults: place.faults(),
        requests: Vec::new(),
    });
}

#[test]
fn vault_through_every_fault() {
    use crate::vault::{LEAVER, Vault};
    let subject: &'static Vault = Box::leak(Box::new(Vault::start()));
    let estate = match (subject.scene(Scene::Seeded), subject.estate()) {
        (Answer::Here(_), Some(estate)) => estate,
        (Answer::NotRun(missing), _) => return not_run::allowed("vault", &missing),
        (_, _) => panic!("a vault has a seeded set"),
    };
    let healthy = faults::healthy(subject);
    let folder = beside(LEAVER, healthy.as_ref());
    let path = "/v1/identity/entity/id?";
    let mut faults = of_a_server(subject, Some(path));
    // A vault's answers hold no links: that none is followed is tested by the case evil-links.
    faults.retain(|fault| !fault.name.contains("a next link"));
    let statuses = [400, 403, 405, 412, 472, 473, 501, 504];
    faults.extend(web::of_answers(subject, path, &statuses));
    faults.extend(vault::of_a_vault(estate));
    run(Patient {
        name: "vault",
        healthy,
        system: "corp-vault",
        leaver: LEAVER,
        beside: Some(folder.path().to_path_buf()),
        requests: web::of_each_request(subject, vault::shape),
        faults,
    });
}

#[test]
fn kubernetes_through_every_fault() {
    use crate::kubernetes::{Cluster, LEAVER};
    let subject: &'static Cluster = Box::leak(Box::new(Cluster::start()));
    let estate = match (subject.scene(Scene::Seeded), subject.estate()) {
        (Answer::Here(_), Some(estate)) => estate,
        (Answer::NotRun(missing), _) => return not_run::allowed("kubernetes", &missing),
        (_, _) => panic!("a cluster has a seeded set"),
    };
    let healthy = faults::healthy(subject);
    let folder = beside(LEAVER, healthy.as_ref());
    let path = "/v1/rolebindings?";
    let mut faults = of_a_server(subject, Some(path));
    // An API server's answers hold no links: that none is followed is tested by evil-links.
    faults.retain(|fault| !fault.name.contains("a next link"));
    faults.extend(web::of_answers(
        subject,
        path,
        &[400, 403, 405, 409, 410, 504],
    ));
    faults.extend(kubernetes::of_a_cluster(estate));
    run(Patient {
        name: "kubernetes",
        healthy,
        system: "prod-cluster",
        leaver: LEAVER,
        beside: Some(folder.path().to_path_buf()),
        requests: web::of_each_request(subject, kubernetes::shape),
        faults,
    });
}

#[test]
fn postgresql_through_every_fault() {
    use crate::postgresql::{LEAVER, Postgresql};
    let subject: &'static Postgresql = Box::leak(Box::new(Postgresql::start()));
    let healthy = faults::healthy(subject);
    let folder = beside(LEAVER, healthy.as_ref());
    let mut faults = of_a_server(subject, None);
    // Without its right only the details of sessions are hidden, on which no verdict stands: that
    // the read says so is tested by the case too-few-rights.
    faults.retain(|fault| fault.name != "too few rights");
    faults.extend(postgresql::of_a_database(subject));
    run(Patient {
        name: "postgresql",
        healthy,
        system: "corp-db",
        leaver: LEAVER,
        beside: Some(folder.path().to_path_buf()),
        faults,
        requests: Vec::new(),
    });
}

#[test]
fn github_through_every_fault() {
    use crate::github::{GitHub, LEAVER};
    let subject: &'static GitHub = Box::leak(Box::new(GitHub::start()));
    let healthy = faults::healthy(subject);
    let folder = beside(LEAVER, healthy.as_ref());
    let path = "/orgs/example/teams?";
    let mut faults = of_a_server(subject, Some(path));
    // The list has one page, and no link: that none is followed elsewhere is tested by evil-links.
    faults.retain(|fault| !fault.name.contains("a next link"));
    faults.extend(web::of_answers(
        subject,
        path,
        &[400, 403, 405, 410, 422, 451, 504],
    ));
    run(Patient {
        name: "github",
        healthy,
        system: "corp-github",
        leaver: LEAVER,
        beside: Some(folder.path().to_path_buf()),
        requests: web::of_each_request(subject, crate::github::shape),
        faults,
    });
}

#[test]
fn workstation_through_every_fault() {
    let home = workstation::Home::made();
    let healthy = home.connector();
    let folder = beside(workstation::LEAVER, healthy.as_ref());
    run(Patient {
        name: "workstation",
        healthy,
        system: "ws-ann",
        leaver: workstation::LEAVER,
        beside: Some(folder.path().to_path_buf()),
        faults: home.faults(),
        requests: Vec::new(),
    });
}
