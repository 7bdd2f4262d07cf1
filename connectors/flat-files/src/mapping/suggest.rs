//! Suggests which header stands for which column, from names and sample values. Pure.

use crate::columns::columns;
use crate::recipes::letters;
use lastkey_contract::Kind;
use lastkey_contract::facts::IdentityStatus;

/// One suggestion, to be shown with a preview and edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub column: &'static str,
    pub header: String,
    /// One sentence: why this header.
    pub why: String,
}

/// Other names that people give to our columns, most usual first; compared without case and
/// punctuation.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    (
        "id",
        &[
            "employeeid",
            "employeenumber",
            "personnelnumber",
            "personid",
            "userid",
            "userprincipalname",
            "workerid",
            "staffid",
            "empno",
            "empid",
            "uid",
            "username",
            "login",
            "samaccountname",
            "number",
        ],
    ),
    (
        "display_name",
        &[
            "employeename",
            "fullname",
            "displayname",
            "name",
            "commonname",
            "cn",
            "username",
        ],
    ),
    (
        "name",
        &[
            "login",
            "username",
            "accountname",
            "samaccountname",
            "displayname",
            "uid",
        ],
    ),
    (
        "email",
        &[
            "mail",
            "emailaddress",
            "primaryemail",
            "workemail",
            "smtpaddress",
        ],
    ),
    (
        "status",
        &[
            "employmentstatus",
            "employeestatus",
            "state",
            "workerstatus",
        ],
    ),
    (
        "department",
        &[
            "dept",
            "departmentname",
            "orgunit",
            "organizationalunit",
            "team",
            "division",
            "costcentre",
            "costcenter",
            "functionalunit",
            "businessunit",
        ],
    ),
    ("title", &["jobtitle", "position", "role", "job"]),
    (
        "manager_id",
        &[
            "manager",
            "supervisor",
            "supervisorid",
            "reportsto",
            "managerid",
            "linemanager",
        ],
    ),
    (
        "employer_id",
        &[
            "employer", "vendor", "vendorid", "company", "supplier", "agency",
        ],
    ),
    (
        "location",
        &["office", "site", "city", "worklocation", "country"],
    ),
    (
        "start_date",
        &[
            "hiredate",
            "startdate",
            "joindate",
            "dateofjoining",
            "employmentstart",
            "validfrom",
        ],
    ),
    (
        "end_date",
        &[
            "enddate",
            "terminationdate",
            "leavedate",
            "lastday",
            "contractend",
            "validto",
            "dateofleaving",
        ],
    ),
    ("leaver_kind", &["terminationtype", "leavertype"]),
    (
        "identity_id",
        &["employeeid", "employeenumber", "personid", "ownerid"],
    ),
    (
        "account_id",
        &["account", "accountid", "userid", "login", "username"],
    ),
    (
        "enabled",
        &["active", "isenabled", "isactive", "accountenabled"],
    ),
    (
        "last_used_at",
        &[
            "lastlogin",
            "lastlogon",
            "lastsignin",
            "lastused",
            "lastlogontimestamp",
        ],
    ),
    (
        "created_at",
        &["created", "createddate", "creationdate", "whencreated"],
    ),
    (
        "disabled_at",
        &["disabled", "disableddate", "deactivatedat"],
    ),
    (
        "expires_at",
        &[
            "expires",
            "expiry",
            "expirydate",
            "accountexpires",
            "expirationdate",
        ],
    ),
    (
        "rotated_at",
        &[
            "rotated",
            "lastrotated",
            "passwordlastset",
            "pwdlastset",
            "lastchanged",
        ],
    ),
    ("privileged", &["isadmin", "admin", "isprivileged"]),
    ("mfa", &["mfaenabled", "twofactor", "2fa"]),
    ("system", &["application", "app", "target", "platform"]),
    (
        "entitlement_id",
        &["group", "groupid", "role", "roleid", "permission"],
    ),
    (
        "principal_id",
        &["member", "memberid", "userid", "user", "account"],
    ),
    ("path", &["location", "secretpath"]),
];

/// Which header stands for which column of the kind, best guesses only: each header is used
/// once, and a column for which nothing speaks is left out. `samples` are rows of cells in the
/// header's order; a handful is enough.
pub fn suggest(header: &[String], samples: &[Vec<String>], kind: Kind) -> Vec<Suggestion> {
    let mut free: Vec<usize> = (0..header.len()).collect();
    let mut out: Vec<Suggestion> = Vec::new();
    let mut take = |at: usize, column: &'static str, why: String, free: &mut Vec<usize>| {
        if let Some(name) = header.get(at) {
            free.retain(|i| *i != at);
            out.push(Suggestion {
                column,
                header: name.clone(),
                why,
            });
        }
    };
    let plain: Vec<String> = header.iter().map(|h| letters(h)).collect();
    let mut open: Vec<&'static str> = columns(kind).iter().map(|c| c.name).collect();

    // The same name goes first, so that a synonym never takes a header away from its own column.
    open.retain(|column| {
        let same = free
            .iter()
            .copied()
            .find(|i| plain.get(*i).is_some_and(|h| *h == letters(column)));
        if let Some(at) = same {
            take(
                at,
                column,
                "the header has the column's own name".to_owned(),
                &mut free,
            );
        }
        same.is_none()
    });
    open.retain(|column| {
        let others = OTHER_NAMES.iter().find(|(c, _)| c == column);
        let known = others
            .into_iter()
            .flat_map(|(_, names)| names.iter())
            .find_map(|name| {
                free.iter()
                    .copied()
                    .find(|i| plain.get(*i).is_some_and(|h| h == name))
            });
        if let Some(at) = known {
            take(
                at,
                column,
                format!("a usual name for `{column}`"),
                &mut free,
            );
        }
        known.is_none()
    });
    for column in open {
        let fits = |i: &usize| speaks_for(column, samples, *i);
        if let Some(at) = free.iter().copied().find(|i| fits(i)) {
            take(
                at,
                column,
                format!("its values look like `{column}`"),
                &mut free,
            );
        }
    }
    let order = |c: &str| columns(kind).iter().position(|x| x.name == c);
    out.sort_by_key(|s| order(s.column));
    out
}

/// Whether the sample values of one header can only mean this column.
fn speaks_for(column: &str, samples: &[Vec<String>], at: usize) -> bool {
    let mut values = samples
        .iter()
        .filter_map(|row| row.get(at))
        .filter(|v| !v.is_empty())
        .peekable();
    if values.peek().is_none() {
        return false;
    }
    match column {
        "email" => values.all(|v| {
            v.split_once('@')
                .is_some_and(|(l, d)| !l.is_empty() && d.contains('.'))
        }),
        "status" => values.all(|v| IdentityStatus::from_word(&v.to_lowercase()).is_some()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &[&str], sample: &[&str], kind: Kind, expected: &[(&str, &str)]) {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let got = suggest(&own(header), &[own(sample)], kind);
        let got: Vec<_> = got.iter().map(|s| (s.column, s.header.as_str())).collect();
        assert_eq!(got, expected, "{header:?}");
    }

    #[test]
    fn headers_are_recognised_by_name_and_by_value() {
        check(
            &["user_id", "employee_name", "functional_unit", "role"],
            &["ABC0174", "Ann Lee", "1 - Sales", "Salesman"],
            Kind::Identity,
            &[
                ("id", "user_id"),
                ("display_name", "employee_name"),
                ("department", "functional_unit"),
                ("title", "role"),
            ],
        );
        check(
            &["Employee ID", "Kontakt"],
            &["7", "ann@example.com"],
            Kind::Identity,
            &[("id", "Employee ID"), ("email", "Kontakt")],
        );
        // its own name beats every synonym
        check(
            &["username", "id"],
            &["ann", "7"],
            Kind::Identity,
            &[("id", "id"), ("display_name", "username")],
        );
    }

    #[test]
    fn nothing_is_suggested_without_a_reason() {
        check(&["x", "y"], &["1", "2"], Kind::Account, &[]);
        check(&[], &[], Kind::Account, &[]);
    }
}
