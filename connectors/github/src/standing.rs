//! Who we are at GitHub, and how much of the organisation that shows.
//!
//! GitHub answers many lists with what a token may see and says nothing of the rest: a stranger to
//! an organisation gets its public members, a member without rights the repositories that are
//! shown to everybody. What stands here decides whether such a list counts as whole.

use crate::api::{Api, Got, Hidden};
use crate::error::refused;
use crate::http::Answer;
use crate::objects::{Membership, OwnPage, Selection};
use crate::settings::Organization;
use lastkey_contract::{ConnectorError, ErrorKind};

/// What sort of token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A classic one of a person, with the scopes that GitHub tells.
    Classic(Vec<String>),
    /// A fine-grained one of a person; what it may is told nowhere.
    FineGrained,
    /// Of an installed GitHub App.
    App,
}

/// Who we are.
#[derive(Clone, Debug)]
pub struct Standing {
    pub token: Token,
    /// The person's login; None for an app.
    pub login: Option<String>,
    /// `admin` or `member`; None for an app, or where it is not told.
    pub role: Option<String>,
    /// `all` or `selected`, of an app.
    pub selection: Option<String>,
    pub sees_teams: bool,
    pub page: OwnPage,
    /// The version of an Enterprise server.
    pub enterprise: Option<String>,
    /// When the token ends, as GitHub says.
    pub ends: Option<String>,
}

const OPERATION: &str = "look at the organisation";

impl Standing {
    /// Looks: a handful of requests.
    pub async fn of(
        api: &mut Api,
        organization: &Organization,
    ) -> Result<Standing, ConnectorError> {
        let name = &organization.name;
        let answer = api.raw(&format!("/orgs/{name}"), OPERATION).await?;
        let page: OwnPage = match answer.status {
            200 => crate::http::SERVER.parsed(api.address(), OPERATION, &answer.body)?,
            404 if answer.said().is_some() => return Err(no_such(api, name, &answer)),
            _ => return Err(refused(api.address(), OPERATION, &answer)),
        };
        let user = api.raw("/user", OPERATION).await?;
        let mut standing = Standing {
            token: Token::App,
            login: None,
            role: None,
            selection: None,
            sees_teams: false,
            page,
            enterprise: answer.header("x-github-enterprise-version"),
            ends: answer.header("github-authentication-token-expiration"),
        };
        match user.status {
            200 => {
                #[derive(serde::Deserialize)]
                struct Own {
                    login: String,
                }
                let own: Own = crate::http::SERVER.parsed(api.address(), OPERATION, &user.body)?;
                standing.login = Some(own.login);
                standing.token = token(&user);
                let path = format!("/user/memberships/orgs/{name}");
                if let Got::Found(own) = api.one::<Membership>(&path, OPERATION).await?
                    && own.state == "active"
                {
                    standing.role = Some(own.role);
                }
            }
            403 if user.said().is_some() && !user.is_limited() => {
                let path = "/installation/repositories?per_page=1";
                if let Got::Found(own) = api.one::<Selection>(path, OPERATION).await? {
                    standing.selection = Some(own.repository_selection);
                }
            }
            _ => return Err(refused(api.address(), OPERATION, &user)),
        }
        let teams = format!("/orgs/{name}/teams?per_page=1");
        let shown = api
            .one::<Vec<serde::de::IgnoredAny>>(&teams, OPERATION)
            .await?;
        standing.sees_teams = match shown {
            Got::Found(_) => true,
            Got::Hidden(Hidden::Refused | Hidden::Absent) => false,
        };
        Ok(standing)
    }

    fn is_owner(&self) -> bool {
        self.role.as_deref() == Some("admin")
    }

    /// Why the list of members may not be whole; None where it is.
    pub fn members_cut(&self) -> Option<&'static str> {
        let scoped = match &self.token {
            Token::Classic(scopes) => has(scopes, &["read:org", "write:org", "admin:org"]),
            Token::FineGrained | Token::App => true,
        };
        let inside = self.token == Token::App || self.role.is_some();
        let reason = "this token is shown public members only: it needs `Members: read`, or `read:org` and a membership";
        (!scoped || !inside || !self.sees_teams).then_some(reason)
    }

    /// Why the list of teams may not be whole.
    pub fn teams_cut(&self) -> Option<&'static str> {
        let all = self.token == Token::App || self.is_owner();
        let reason = "teams that are secret are shown to their members and to owners only, and this token is neither an owner's nor an app's";
        (!all && self.sees_teams).then_some(reason)
    }

    /// Why the list of repositories may not be whole, `hidden` being how many that are not public
    /// were shown.
    pub fn repositories_cut(&self, hidden: u64) -> Option<&'static str> {
        let told = self.page.total_private_repos;
        if told.is_some_and(|told| told > hidden) {
            return Some("the organisation has more repositories than this token is shown");
        }
        match &self.token {
            Token::App if self.selection.as_deref() == Some("all") => None,
            Token::App => {
                Some("the app is installed on selected repositories only, or does not say on which")
            }
            Token::Classic(scopes) if self.is_owner() && has(scopes, &["repo"]) => None,
            Token::FineGrained if self.is_owner() && told.is_some() => None,
            Token::Classic(_) | Token::FineGrained => Some(
                "it is not known whether this token is shown all repositories: it is not an owner's, or not for all of them",
            ),
        }
    }

    /// Who we are, in words.
    pub fn words(&self) -> String {
        match (&self.token, &self.login) {
            (Token::App, _) | (_, None) => "an installed GitHub App".to_owned(),
            (Token::Classic(_), Some(login)) => format!("{login}, by a classic token"),
            (Token::FineGrained, Some(login)) => format!("{login}, by a fine-grained token"),
        }
    }
}

fn has(scopes: &[String], wanted: &[&str]) -> bool {
    scopes.iter().any(|scope| wanted.contains(&scope.as_str()))
}

/// The sort of a person's token: GitHub tells the scopes of classic ones, and of no others.
fn token(answer: &Answer) -> Token {
    match answer.header("x-oauth-scopes") {
        None => Token::FineGrained,
        Some(scopes) => Token::Classic(
            scopes
                .split(',')
                .map(|scope| scope.trim().to_owned())
                .filter(|scope| !scope.is_empty())
                .collect(),
        ),
    }
}

fn no_such(api: &Api, name: &str, answer: &Answer) -> ConnectorError {
    let mut error = ConnectorError::new(
        ErrorKind::ConfigInvalid,
        api.address(),
        OPERATION,
        format!("there is no organisation `{name}`, or this token may not know of it"),
    )
    .hint("check `organization` and `address`, and that the token or the app belongs to it");
    error.request_id = answer.request_id();
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(token: Token, role: Option<&str>) -> Standing {
        Standing {
            token,
            login: Some("ann".to_owned()),
            role: role.map(str::to_owned),
            selection: None,
            sees_teams: true,
            page: serde_json::from_str(r#"{"login":"example"}"#).unwrap(),
            enterprise: None,
            ends: None,
        }
    }

    fn classic(scopes: &[&str]) -> Token {
        Token::Classic(scopes.iter().map(|s| (*s).to_owned()).collect())
    }

    #[track_caller]
    fn check(standing: &Standing, shown: u64, whole: [bool; 3]) {
        let found = [
            standing.members_cut().is_none(),
            standing.teams_cut().is_none(),
            standing.repositories_cut(shown).is_none(),
        ];
        assert_eq!(found, whole, "members, teams, repositories: {standing:?}");
    }

    #[test]
    fn lists_count_as_whole_only_where_the_token_is_shown_all() {
        let owner = Some("admin");
        check(
            &standing(classic(&["repo", "admin:org"]), owner),
            0,
            [true; 3],
        );
        check(&standing(classic(&["repo"]), owner), 0, [false, true, true]);
        check(
            &standing(classic(&["read:org"]), owner),
            0,
            [true, true, false],
        );
        let member = standing(classic(&["repo", "read:org"]), Some("member"));
        check(&member, 0, [true, false, false]);
        check(
            &standing(Token::FineGrained, None),
            0,
            [false, false, false],
        );
        let mut fine = standing(Token::FineGrained, owner);
        check(&fine, 3, [true, true, false]);
        fine.page.total_private_repos = Some(3);
        check(&fine, 3, [true; 3]);
        check(&fine, 2, [true, true, false]);
        let mut app = standing(Token::App, None);
        check(&app, 0, [true, true, false]);
        app.selection = Some("selected".to_owned());
        check(&app, 0, [true, true, false]);
        app.selection = Some("all".to_owned());
        check(&app, 0, [true; 3]);
        app.page.total_private_repos = Some(9);
        check(&app, 8, [true, true, false]);
        app.sees_teams = false;
        assert!(app.members_cut().is_some());
    }

    #[test]
    fn classic_tokens_tell_their_scopes() {
        let of = |headers: &[(&str, &str)]| token(&crate::http::tests::answer(200, headers, "{}"));
        assert_eq!(of(&[]), Token::FineGrained);
        assert_eq!(of(&[("x-oauth-scopes", "")]), classic(&[]));
        assert_eq!(
            of(&[("x-oauth-scopes", "repo, read:org")]),
            classic(&["repo", "read:org"])
        );
    }
}
