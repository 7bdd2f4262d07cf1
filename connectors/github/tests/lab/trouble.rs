//! Limits, faults, and answers that are none of GitHub's.

use super::paging::two;
use super::*;

pub fn odd(target: &'static str, told: Told) -> World {
    let mut world = company();
    world.odd.push(Odd {
        target,
        after: 0,
        times: usize::MAX,
        told,
    });
    world
}

pub fn told(status: u16, headers: &[(&str, &str)], body: &str) -> Told {
    let headers = headers
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Told {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    }
}

#[track_caller]
fn fails(kind: Kind, world: World, expected: ErrorKind) -> ConnectorError {
    let behind = Behind::tls(world);
    let connector = behind.connector("example", APP, &[]);
    let error = read(connector.as_ref(), kind).unwrap_err();
    assert_eq!(error.kind, expected, "{error}");
    assert!(error.hint.is_some());
    error
}

#[test]
fn limits_of_every_sort_say_when_to_ask_again() {
    let json = ("content-type", "application/json; charset=utf-8");
    let date = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");
    let said = r#"{"message":"API rate limit exceeded for installation ID 1."}"#;
    let spent = [
        json,
        date,
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1795345200"),
    ];
    for (told, wait) in [
        (told(403, &spent, said), 3_601_000),
        (told(429, &[json, ("retry-after", "17")], said), 17_000),
        (
            told(403, &[json, date, ("retry-after", "60")], said),
            60_000,
        ),
        (
            told(
                403,
                &[json],
                r#"{"message":"You have exceeded a secondary rate limit."}"#,
            ),
            60_000,
        ),
    ] {
        let error = fails(
            Kind::Grant,
            odd("/teams/web/", told),
            ErrorKind::RateLimited,
        );
        assert_eq!(error.retry_after_ms, Some(wait));
    }
}

#[test]
fn a_read_that_was_limited_goes_on_where_it_stood() {
    let mut world = two(true);
    let told = told(429, &[("retry-after", "1")], "{}");
    world.odd.push(Odd {
        target: "role=member",
        after: 20,
        times: 1,
        told,
    });
    let behind = Behind::tls(world);
    let connector = behind.connector("north", APP, &[]);
    run(async {
        let mut session = connector.connect().await.unwrap();
        let request = PageRequest {
            cursor: None,
            limit: 500,
            since: None,
        };
        let limited = session.read_page(Kind::Account, request.clone()).await;
        assert_eq!(limited.unwrap_err().kind, ErrorKind::RateLimited);
        behind.running.asked();
        session.read_page(Kind::Account, request).await.unwrap();
    });
    let again: Vec<String> = behind
        .running
        .asked()
        .into_iter()
        .map(|asked| asked.target)
        .collect();
    assert!(
        again[0].contains("page=21"),
        "what was read was asked for again: {}",
        again[0]
    );
}

#[test]
fn what_does_not_come_from_github_is_no_answer() {
    let json = ("content-type", "application/json");
    let page = ("content-type", "text/html");
    let web = "<html>not here</html>";
    for answer in [
        told(404, &[page], web),
        told(403, &[page], web),
        told(200, &[page], web),
        told(200, &[json], r#"[{"id":1,"#),
        told(200, &[json], r#"{"message":"a list?"}"#),
        told(302, &[("location", "https://example.net/")], ""),
        told(404, &[json], r#"{"errors":["no such upstream"]}"#),
        told(
            200,
            &[json, ("link", "<https://example.net/x>; rel=\"next\"")],
            "[]",
        ),
    ] {
        fails(
            Kind::Account,
            odd("/outside_collaborators", answer),
            ErrorKind::Protocol,
        );
    }
    let busy = told(503, &[page], web);
    fails(
        Kind::Account,
        odd("/outside_collaborators", busy),
        ErrorKind::Unavailable,
    );
    let gone = refusal(401, "Bad credentials");
    fails(
        Kind::Account,
        odd("/outside_collaborators", gone),
        ErrorKind::AuthRejected,
    );
    let sso = told(
        403,
        &[
            json,
            (
                "x-github-sso",
                "required; url=https://github.com/orgs/example/sso",
            ),
        ],
        r#"{"message":"Resource protected by organization SAML enforcement."}"#,
    );
    fails(
        Kind::Account,
        odd("/outside_collaborators", sso),
        ErrorKind::Forbidden,
    );
    let circle = told(
        200,
        &[json, ("link", "<https://127.0.0.1/api/v3/x>; rel=\"next\"")],
        "[]",
    );
    fails(
        Kind::Account,
        odd("/outside_collaborators", circle),
        ErrorKind::Protocol,
    );
}
