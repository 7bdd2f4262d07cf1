//! Policies: our answer against the server's own `sys/capabilities`, for random policies and paths.

use crate::estate::lab;
use lastkey_tests::labs::OpenBao;
use lastkey_vault::policy::{Acl, Alias, Asked, Capabilities, Group, Holder, Policy};
use serde_json::json;
use std::collections::BTreeMap;

/// The same sequence for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

/// Few parts, so that patterns and paths meet often.
const PARTS: [&str; 12] = [
    "s", "a", "b", "ab", "abc", "a+", "a-b", "ü", "data", "x.y", "A", "%41",
];

fn pattern(dice: &mut Dice, templates: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for _ in 0..1 + dice.roll(4) {
        parts.push(match dice.roll(10) {
            0 | 1 => "+".to_owned(),
            2 if !templates.is_empty() => templates[dice.roll(templates.len())].clone(),
            3 if dice.roll(4) == 0 => String::new(),
            _ => dice.one(&PARTS).to_owned(),
        });
    }
    let mut path = parts.join("/");
    match dice.roll(8) {
        0 | 1 => path.push_str("/*"),
        2 | 3 if !path.ends_with('+') => path.push('*'),
        4 => path.push('/'),
        5 if dice.roll(6) == 0 => path.insert(0, '/'),
        6 if dice.roll(12) == 0 => path = "*".to_owned(),
        _ => {}
    }
    path
}

fn rules(dice: &mut Dice, templates: &[String]) -> String {
    const WORDS: [&str; 8] = [
        "create", "read", "update", "patch", "delete", "list", "sudo", "scan",
    ];
    let mut text = String::new();
    for _ in 0..1 + dice.roll(5) {
        let path = pattern(dice, templates);
        let mut words: Vec<&str> = (0..1 + dice.roll(3)).map(|_| dice.one(&WORDS)).collect();
        if dice.roll(6) == 0 {
            words.push("deny");
        }
        let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
        let words = words.join(", ");
        text.push_str(&match dice.roll(9) {
            0 => format!("path \"{path}\" {{ policy = \"{}\" }}\n", dice.one(&["read", "write", "sudo", "deny"])),
            1 => format!("path \"{path}\" {{ capabilities = [] }}\n"),
            2 => format!("# x\n\"path\" \"{path}\" {{ capabilities = [{words},], comment = \"y\" }}\n"),
            3 => format!("path \"{path}\" {{ capabilities = [{words}] required_parameters = [\"a\"] expiration = \"{}\" }}\n", dice.one(&["2001-01-01T00:00:00Z", "2991-01-01T00:00:00Z"])),
            4 => format!("path \"{path}\" {{\n  capabilities = [{words}]\n  allowed_parameters = {{ \"*\" = [] }}\n}}\n"),
            _ => format!("path \"{path}\" {{ capabilities = [{words}] }}\n"),
        });
    }
    text
}

/// A path by chance.
fn path(dice: &mut Dice, values: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for _ in 0..1 + dice.roll(4) {
        parts.push(match dice.roll(8) {
            0 if !values.is_empty() => values[dice.roll(values.len())].clone(),
            1 => format!("{}{}", dice.one(&PARTS), dice.one(&["", "c", "z"])),
            2 if dice.roll(4) == 0 => String::new(),
            _ => dice.one(&PARTS).to_owned(),
        });
    }
    let mut path = parts.join("/");
    if dice.roll(4) == 0 {
        path.push('/');
    }
    match path.as_str() {
        "" => "s".to_owned(),
        _ => path,
    }
}

/// A path that a pattern matches, more or less.
fn meeting(dice: &mut Dice, pattern: &str, values: &[String]) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        path.push_str(before);
        match values.is_empty() {
            true => path.push('a'),
            false => path.push_str(&values[dice.roll(values.len())]),
        }
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    path.push_str(rest);
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part == "+" { dice.one(&PARTS) } else { part })
        .collect();
    let mut path = parts.join("/");
    if let Some(head) = path.strip_suffix('*') {
        path = format!("{head}{}", dice.one(&["", "a", "b/a", "/", "a/"]));
    }
    match dice.roll(6) {
        0 => path.push('/'),
        1 => path.push('c'),
        _ => {}
    }
    match path.as_str() {
        "" => "s".to_owned(),
        _ => path,
    }
}

/// Someone who asks: a token, and what we know of its holder.
pub struct Asker {
    pub token: String,
    pub holder: Option<Holder>,
    pub policies: Vec<(String, String)>,
}

/// The server's answer for many paths at once.
fn served(lab: &OpenBao, token: &str, paths: &[String]) -> BTreeMap<String, Vec<String>> {
    let body = json!({ "token": token, "paths": paths });
    let answer = lab.write("sys/capabilities", body);
    serde_json::from_value(answer["data"].clone())
        .map(|mut all: BTreeMap<String, Vec<String>>| {
            all.retain(|path, _| paths.contains(path));
            all
        })
        .unwrap()
}

/// Holds our answer for each path against the server's; gives back how many.
pub fn compare(lab: &OpenBao, asker: &Asker, paths: &[String]) -> usize {
    let policies: Vec<Policy> = asker
        .policies
        .iter()
        .map(|(name, text)| Policy::parse(name, text).unwrap_or_else(|why| panic!("{why}: {text}")))
        .collect();
    let now = chrono::Utc::now();
    let acl = Acl::new(&policies, asker.holder.as_ref(), now).unwrap();
    let served = served(lab, &asker.token, paths);
    for path in paths {
        let theirs = &served[path];
        let ours = acl.words(path);
        assert_eq!(
            &ours,
            theirs,
            "`{path}` for {:?}\n{}",
            asker.holder,
            asker
                .policies
                .iter()
                .map(|(n, t)| format!("## {n}\n{t}"))
                .collect::<String>()
        );
    }
    served.len()
}

/// Writes policies, and has each set of them asked about with its token.
fn askers(
    lab: &OpenBao,
    dice: &mut Dice,
    round: usize,
    holders: &[(String, Holder)],
    each: &mut dyn FnMut(&mut Dice, Asker),
) {
    let mut templates = Vec::new();
    for (_, holder) in holders {
        let accessor = &holder.aliases[0].mount_accessor;
        let group = &holder.groups[0];
        for name in ["id", "name", "metadata.team", "metadata.none"] {
            templates.push(format!("{{{{identity.entity.{name}}}}}"));
        }
        templates.push(format!("{{{{ identity.entity.aliases.{accessor}.name }}}}"));
        templates.push(format!("x{{{{identity.groups.names.{}.id}}}}", group.name));
        templates.push(format!("{{{{identity.groups.ids.{}.name}}}}*", group.id));
        templates.push("{{identity.entity.metadata.wild}}".to_owned());
    }
    let names: Vec<(String, String)> = (0..6)
        .map(|number| {
            let some = if number < 3 { &[][..] } else { &templates[..] };
            let text = rules(dice, some);
            let name = format!("random-{round}-{number}");
            let body = json!({ "policy": text });
            lab.root("PUT", &format!("sys/policies/acl/{name}"), body);
            (name, text)
        })
        .collect();
    for number in 0..6 {
        let mut policies: Vec<(String, String)> = names
            .iter()
            .filter(|_| dice.roll(2) == 0)
            .cloned()
            .collect();
        if policies.is_empty() {
            policies.push(names[number].clone());
        }
        let listed: Vec<&String> = policies.iter().map(|(name, _)| name).collect();
        let (token, holder) = match number % 3 {
            0 => {
                let body = json!({ "policies": listed, "no_default_policy": true, "ttl": "1h" });
                let made = lab.write("auth/token/create", body);
                let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
                (token, None)
            }
            _ => {
                let (token, holder) = &holders[number % 2];
                let path = format!("identity/entity/id/{}", holder.id);
                lab.write(&path, json!({ "policies": listed }));
                (token.clone(), Some(holder.clone()))
            }
        };
        each(
            dice,
            Asker {
                token,
                holder,
                policies,
            },
        );
    }
}

/// Two people with entities, aliases and groups, whose names make trouble; by their tokens.
pub fn holders(lab: &OpenBao) -> Vec<(String, Holder)> {
    lab.write("sys/auth/userpass", json!({ "type": "userpass" }));
    let accessor = lab.root("GET", "sys/auth", json!({}))["data"]["userpass/"]["accessor"]
        .as_str()
        .unwrap()
        .to_owned();
    [("ann", "a/b", "s*"), ("bob", "ab", "+")]
        .map(|(name, team, wild)| {
            let made = lab.write(
                "identity/entity",
                json!({ "name": name, "metadata": { "team": team, "wild": wild } }),
            );
            let id = made["data"]["id"].as_str().unwrap().to_owned();
            lab.write(
                "identity/entity-alias",
                json!({ "name": name, "canonical_id": id, "mount_accessor": accessor }),
            );
            let group = format!("{name}s");
            let made = lab.write(
                "identity/group",
                json!({ "name": group, "member_entity_ids": [id] }),
            );
            let metadata = BTreeMap::from([
                ("team".to_owned(), team.to_owned()),
                ("wild".to_owned(), wild.to_owned()),
            ]);
            let holder = Holder {
                id,
                name: name.to_owned(),
                metadata,
                aliases: vec![Alias {
                    name: name.to_owned(),
                    mount_accessor: accessor.clone(),
                    ..Alias::default()
                }],
                groups: vec![Group {
                    id: made["data"]["id"].as_str().unwrap().to_owned(),
                    name: group,
                    ..Group::default()
                }],
            };
            let user = json!({ "password": "pw-pw-pw", "token_no_default_policy": true });
            lab.write(&format!("auth/userpass/users/{name}"), user);
            let login = json!({ "password": "pw-pw-pw" });
            let made = lab.write(&format!("auth/userpass/login/{name}"), login);
            let token = made["auth"]["client_token"].as_str().unwrap();
            (token.to_owned(), holder)
        })
        .to_vec()
}

#[test]
fn our_answer_is_the_servers() {
    let Some(lab) = lab("policies against sys/capabilities") else {
        return;
    };
    let long = std::env::var_os("LASTKEY_LONG").is_some();
    let rounds = if long { 400 } else { 18 };
    let holders = holders(&lab);
    let mut dice = Dice(20_261_121);
    let (mut compared, mut denied, mut errors) = (0, 0, 0);
    for round in 0..rounds {
        askers(&lab, &mut dice, round, &holders, &mut |dice, asker| {
            let values: Vec<String> = match &asker.holder {
                Some(h) => vec![
                    h.id.clone(),
                    h.name.clone(),
                    h.metadata["team"].clone(),
                    format!("x{}", h.groups[0].id),
                    h.groups[0].name.clone(),
                ],
                None => Vec::new(),
            };
            let policies: Vec<Policy> = asker
                .policies
                .iter()
                .map(|(n, t)| Policy::parse(n, t).unwrap())
                .collect();
            let patterns: Vec<&str> = policies
                .iter()
                .flat_map(|p| p.rules.iter().map(|r| r.path.as_str()))
                .collect();
            let mut paths: Vec<String> = (0..36)
                .map(|number| match number % 2 {
                    0 => path(dice, &values),
                    _ => {
                        let pattern = dice.one(&patterns);
                        meeting(dice, pattern, &values)
                    }
                })
                .collect();
            paths.sort();
            paths.dedup();
            let now = chrono::Utc::now();
            let Ok(acl) = Acl::new(&policies, asker.holder.as_ref(), now) else {
                // A template was filled with a wildcard that the server forbids.
                let body = json!({ "token": asker.token, "paths": paths });
                let answer = lab.ask(lab.root_token(), "", "POST", "sys/capabilities", &body);
                assert!(answer.status >= 400, "{answer:?} for {:?}", asker.policies);
                errors += 1;
                return;
            };
            compared += compare(&lab, &asker, &paths);
            denied += paths.iter().filter(|p| acl.words(p) == ["deny"]).count();
        });
    }
    println!(
        "{compared} pairs compared, {denied} of them denied, {errors} sets that the server cannot decide"
    );
    assert!(
        compared > rounds * 150,
        "only {compared} pairs were compared"
    );
    assert!(
        denied * 10 < compared * 9 && denied * 10 > compared,
        "{denied} of {compared} are denied: the paths hardly meet the rules"
    );
}

/// What `sys/capabilities` cannot show, because it asks as for a list: reading itself.
#[test]
fn a_read_is_decided_as_the_server_decides_it() {
    let Some(lab) = lab("reads against the server's own decision") else {
        return;
    };
    lab.write(
        "sys/mounts/kv",
        json!({ "type": "kv", "options": { "version": "1" } }),
    );
    for name in ["a", "b", "a/b", "a/b/c", "ab"] {
        lab.write(&format!("kv/{name}"), json!({ "v": "x" }));
    }
    let mut dice = Dice(7);
    let (mut allowed, mut refused) = (0, 0);
    for round in 0..25 {
        let text = (0..1 + dice.roll(4))
            .map(|_| {
                let pattern = dice.one(&[
                    "kv/*", "kv/a*", "kv/+", "kv/a", "kv/+/b", "kv/a/*", "kv/a/+/c", "kv/ab", "*",
                    "+/a",
                ]);
                let word = dice.one(&["read", "list", "deny", "read\", \"list"]);
                format!("path \"{pattern}\" {{ capabilities = [\"{word}\"] }}\n")
            })
            .collect::<String>();
        let name = format!("reads-{round}");
        lab.root(
            "PUT",
            &format!("sys/policies/acl/{name}"),
            json!({ "policy": text }),
        );
        let made = lab.write(
            "auth/token/create",
            json!({ "policies": [name], "no_default_policy": true }),
        );
        let token = made["auth"]["client_token"].as_str().unwrap();
        let policy = Policy::parse(&name, &text).unwrap();
        let acl = Acl::new([&policy], None, chrono::Utc::now()).unwrap();
        for name in ["a", "b", "a/b", "a/b/c", "ab"] {
            let path = format!("kv/{name}");
            let ours = acl.on(&path, Asked::Otherwise).0.allow(Capabilities::READ);
            let status = lab.ask(token, "", "GET", &path, &json!({})).status;
            assert_eq!(ours, status == 200, "{path} answered {status} for\n{text}");
            match ours {
                true => allowed += 1,
                false => refused += 1,
            }
        }
    }
    assert!(
        allowed > 20 && refused > 20,
        "{allowed} allowed, {refused} refused"
    );
}

#[test]
fn odd_texts_mean_what_the_server_takes_them_for() {
    let Some(lab) = lab("odd policy texts against the server") else {
        return;
    };
    let texts = [
        r#"{"path":{"s/a":{"capabilities":["read"]},"s/b":{"policy":"write"}}}"#,
        r#"{"path":[{"s/a":{"capabilities":["read"]}},{"s/a":{"capabilities":["list"]}}]}"#,
        r#"{"path":{"s/a":[{"capabilities":["read"]},{"capabilities":["list"]}]}}"#,
        "path \"s/${a}\" { capabilities = [\"read\"] }",
        "path \"s/%{a}\" { capabilities = [\"read\"] } path \"s/a\" { capabilities = [\"read\"] }",
        "path \"s/\\u0061\" { capabilities = [\"read\"] }",
        "path \"s/a\" { capabilities = [\"read\"] capabilities = [\"list\"] }",
        "path \"s/a\" \"s/b\" { capabilities = [\"read\"] }",
        "path \"s/a\" { capabilities = [\"read\"] }\npath \"s/a\" { capabilities = [\"deny\"] }",
        "path \"s/a\" { capabilities = [\"read\"], } // c\n/* x */ name = \"y\"",
        "path \"s/a\" {\n capabilities = [<<E\nread\nE\n]\n}",
        "path { capabilities = [\"read\"] }",
        "path \"//s/a\" { capabilities = [\"read\"] }",
        "path \"s/a/\" { capabilities = [\"list\"] }",
        "path s { capabilities = [\"read\"] }",
        "path \"\" { capabilities = [\"read\"] }",
        "path \"s/{{identity.entity.id\" { capabilities = [\"read\"] }",
        "path \"s/+*\" { capabilities = [\"read\"] }",
        "path \"s/a\" { Capabilities = [\"read\"] }",
        "path \"s/a\" { capabilities = \"read\" }",
        "rule \"s/a\" { capabilities = [\"read\"] }",
        "path \"s/a\" { capabilities = [\"Read\"] }",
    ];
    let paths: Vec<String> = [
        "s/a",
        "s/b",
        "s/a/",
        "s/${a}",
        "s/%{a}",
        "path",
        "s",
        "s/{{identity.entity.id",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut taken = 0;
    for (number, text) in texts.iter().enumerate() {
        let name = format!("odd-{number}");
        let body = json!({ "policy": text });
        let put = lab.ask(
            lab.root_token(),
            "",
            "PUT",
            &format!("sys/policies/acl/{name}"),
            &body,
        );
        if put.status >= 300 {
            // What the server refuses is in no vault. Ours may take it, or say why not.
            continue;
        }
        taken += 1;
        let made = lab.write(
            "auth/token/create",
            json!({ "policies": [name], "no_default_policy": true }),
        );
        let asker = Asker {
            token: made["auth"]["client_token"].as_str().unwrap().to_owned(),
            holder: None,
            policies: vec![(name, (*text).to_owned())],
        };
        compare(&lab, &asker, &paths);
    }
    assert!(taken >= 10, "the server took only {taken} of the texts");
}
