//! The least rights as ready texts: for a GitHub App, and for a fine-grained token.

use crate::needs::{Of, needs, permissions};
use crate::settings::Organization;
use lastkey_contract::{Script, Settings};

/// The texts, made from the settings as far as they are given.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    // What is not filled in yet must not take away what is.
    let mut filled = settings.clone();
    for (key, stand_in) in [("organization", "ORGANISATION"), ("system", "github")] {
        if filled.get(key).is_none() {
            filled.0.insert(key.to_owned(), stand_in.to_owned());
        }
    }
    let organization = Organization::from_settings(&filled).ok();
    let needs = needs(organization.as_ref());
    let name = organization
        .as_ref()
        .map_or("ORGANISATION", |o| o.name.as_str());
    let site = match &organization {
        Some(own) if !own.origin.host.starts_with("api.") => {
            own.origin.address().trim_end_matches(":443").to_owned()
        }
        Some(own) if own.origin.host != "api.github.com" => {
            format!("https://{}", own.origin.host.trim_start_matches("api."))
        }
        Some(_) | None => "https://github.com".to_owned(),
    };
    let all = permissions(&needs);
    let mut list = String::new();
    for (of, heading) in [
        (
            Of::Organization,
            "Organization permissions, each with access `Read-only`:",
        ),
        (
            Of::Repository,
            "Repository permissions, each with access `Read-only`:",
        ),
    ] {
        list.push_str(heading);
        list.push('\n');
        for (_, title, _, whys) in all.iter().filter(|(its, ..)| *its == of) {
            list.push_str(&format!("  {title}: {}\n", whys.join("; ")));
        }
        list.push('\n');
    }
    let words: serde_json::Map<String, serde_json::Value> = all
        .iter()
        .map(|(_, _, word, _)| ((*word).to_owned(), "read".into()))
        .collect();
    let manifest = serde_json::json!({
        "name": "Lastkey reader",
        "url": format!("{site}/{name}"),
        "description": "Reads who has access, and changes nothing.",
        "public": false,
        "hook_attributes": { "url": format!("{site}/{name}"), "active": false },
        "default_events": [],
        "default_permissions": words,
    });
    let query: Vec<String> = all
        .iter()
        .map(|(_, _, word, _)| format!("{word}=read"))
        .collect();
    let address = format!(
        "{site}/organizations/{name}/settings/apps/new?name=Lastkey+reader&url={site}/{name}&public=false&webhook_active=false&{}",
        query.join("&")
    );
    vec![
        Script {
            title: "An app with the least rights for reading".to_owned(),
            usage: "an owner opens this address, registers the app, installs it on all repositories, and makes an installation token with its private key".to_owned(),
            file_name: "lastkey-app.txt".to_owned(),
            text: format!("{address}\n"),
        },
        Script {
            title: "The same app as a manifest".to_owned(),
            usage: "for whoever registers apps by manifest".to_owned(),
            file_name: "lastkey-app.json".to_owned(),
            text: format!("{manifest:#}\n"),
        },
        Script {
            title: "A fine-grained token with the least rights".to_owned(),
            usage: "an owner makes it under Settings, Developer settings, Fine-grained tokens".to_owned(),
            file_name: "lastkey-token.txt".to_owned(),
            text: format!(
                "Resource owner: {name}\nRepository access: All repositories\n\n{list}GitHub tells fine-grained tokens to apps only: with a token of a person,\nsay leave_out=tokens only where the organisation allows none.\n"
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_but_reading() {
        let mut settings = Settings::default();
        for (key, value) in [
            ("organization", "example"),
            ("system", "s"),
            ("address", "https://git.example.org"),
            ("leave_out", "tokens"),
        ] {
            settings.0.insert(key.to_owned(), value.to_owned());
        }
        let mut begun = settings.clone();
        begun.0.remove("system");
        for settings in [Settings::default(), settings, begun] {
            let all = scripts(&settings);
            assert_eq!(all.len(), 3);
            let manifest: serde_json::Value = serde_json::from_str(&all[1].text).unwrap();
            let permissions = manifest["default_permissions"].as_object().unwrap();
            assert!(permissions.values().all(|level| level == "read"));
            assert!(permissions.contains_key("members") && permissions.contains_key("secrets"));
            let own = settings.get("address").is_some();
            let tokens = permissions.contains_key("organization_personal_access_tokens");
            assert_eq!(tokens, !own, "what is left out needs no right");
            assert_eq!(
                all[0]
                    .text
                    .contains("https://git.example.org/organizations/example/"),
                own
            );
            assert!(!all[0].text.contains("=write") && all[2].text.contains("Read-only"));
        }
    }
}
