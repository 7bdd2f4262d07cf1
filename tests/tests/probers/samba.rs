//! Simple binds against a Samba domain controller, which speaks as Active Directory does.

use crate::harness::*;
use lastkey_tests::labs::Samba;

const PASSWORD: &str = "Canary-Trombone-77x";

fn prober(lab: &Samba) -> Box<dyn Prober> {
    let pairs = [
        ("url", lab.ldaps_url()),
        ("base_dn", Samba::BASE.to_owned()),
        ("system", "corp-ad".to_owned()),
        ("ca_file", lab.ca_path().display().to_string()),
    ];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value));
    lastkey_ldap::prober("ldap_bind", &Settings(pairs.into())).unwrap()
}

#[test]
fn the_reasons_of_active_directory() {
    let Some(lab) = Samba::start_or_not_run("trying passwords of a domain") else {
        return;
    };
    for name in ["ann", "bob", "cora", "dan", "eve", "finn"] {
        lab.tool(&["user", "create", name, PASSWORD]);
    }
    let dn = |name: &str| format!("CN={name},CN=Users,{}", Samba::BASE);
    let prober = prober(&lab);
    let check = |name: &str, password: &str, answer: Answer, says: (&str, &str)| {
        check(prober.as_ref(), (&dn(name), password), answer, says);
    };
    use Answer::{Accepted, Indeterminate, Rejected};
    check("ann", PASSWORD, Accepted, ("0 success", ""));
    check(
        "ann",
        "wrong-canary-Xylophone",
        Rejected,
        ("data 52e", "wrong"),
    );
    check("ann", "", Indeterminate, ("not sent", "empty"));
    check(
        "nobody",
        PASSWORD,
        Rejected,
        ("49 invalidCredentials, data 52", ""),
    );
    lab.tool(&["user", "disable", "bob"]);
    check("bob", PASSWORD, Rejected, ("data 533", "switched off"));
    lab.tool(&["user", "delete", "cora"]);
    check(
        "cora",
        PASSWORD,
        Rejected,
        ("49 invalidCredentials, data 52", ""),
    );
    // a moment long past, in units of 100 ns since 1601
    lab.replace(&dn("dan"), "accountExpires", "130000000000000000");
    check("dan", PASSWORD, Rejected, ("data 701", "expired"));
    lab.replace(&dn("eve"), "pwdLastSet", "0");
    check(
        "eve",
        PASSWORD,
        Indeterminate,
        ("data 773", "must be changed"),
    );
    lab.tool(&[
        "domain",
        "passwordsettings",
        "set",
        "--account-lockout-threshold=2",
    ]);
    for _ in 0..3 {
        tried(prober.as_ref(), &dn("finn"), "wrong-canary-Xylophone");
    }
    check("finn", PASSWORD, Indeterminate, ("data 775", "locked"));
}
