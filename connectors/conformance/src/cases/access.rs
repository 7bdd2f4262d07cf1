//! Secrets, rights, certificates, and that nothing is written.

use super::ground::*;
use crate::outcome::{Verdict, Why, ensure};
use crate::proxy::{Authority, BadTls, HttpProxy};
use crate::subject::{Network, Scene, Subject, Trust};
use lastkey_contract::ErrorKind;
use std::time::Duration;

pub(crate) async fn wrong_secret(subject: &dyn Subject) -> Verdict {
    let wrong = subject.scene(Scene::WrongSecret).here()?;
    let Err(error) = wrong.connector.check().await else {
        return Err(Why::Failed(
            "a check with a wrong secret found nothing wrong".to_owned(),
        ));
    };
    ensure!(
        error.kind == ErrorKind::AuthRejected && error.hint.is_some(),
        "a wrong secret is {:?}, hint {:?}: {error}",
        error.kind,
        error.hint
    );
    let ran = sync_once(wrong.connector.as_ref(), &tries(3)).await?;
    ensure!(
        ran.report.state == "failed",
        "a sync ended {}",
        ran.report.state
    );
    ensure!(ran.report.totals.received == 0, "something was read");
    ensure!(ran.lines("retry") == 0, "a wrong secret was tried again");
    let told = format!("{error:?} {error} {ran:?}");
    for secret in &wrong.secrets {
        ensure!(!told.contains(secret), "the wrong secret was said back");
    }
    ensure!(
        !wrong.secrets.is_empty(),
        "the case does not know the wrong secret"
    );
    Ok(())
}

pub(crate) async fn too_few_rights(subject: &dyn Subject) -> Verdict {
    let blind = subject.scene(Scene::TooFewRights).here()?;
    match blind.connector.check().await {
        Ok(report) => ensure!(
            !report.missing_rights.is_empty(),
            "the check misses no right: {report:?}"
        ),
        Err(error) => ensure!(
            error.kind == ErrorKind::Forbidden,
            "too few rights are {:?}: {error}",
            error.kind
        ),
    }
    let ran = sync_once(blind.connector.as_ref(), &once()).await?;
    ensure!(
        !ran.complete() && !ran.told().is_empty(),
        "a sync with too few rights ended {}",
        ran.report.state
    );
    Ok(())
}

pub(crate) async fn excess_rights(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let right = seeded.connector.check().await?;
    ensure!(
        right.excess_rights.is_empty() && right.missing_rights.is_empty(),
        "the rights of the README are too many or too few: {right:?}"
    );
    ensure!(
        right.rights_known || !right.remarks.is_empty(),
        "the check does not say that rights are not known"
    );
    let many = subject.scene(Scene::ExcessRights).here()?;
    let report = many.connector.check().await?;
    if report.excess_rights.is_empty() && !report.rights_known {
        return Err(Why::NotApplicable(
            "the system does not tell its clients what they may do, and the check says so"
                .to_owned(),
        ));
    }
    ensure!(
        !report.excess_rights.is_empty(),
        "a login that may write is not said to: {report:?}"
    );
    Ok(())
}

pub(crate) async fn untrusted_certificate(subject: &dyn Subject) -> Verdict {
    subject.network().address()?;
    let authority = Authority::new("Conformance CA")?;
    for bad in BadTls::ALL {
        let server = bad.start(&authority)?;
        let connector = subject.through(server.address(), Trust::Pem(authority.pem()));
        let answers = tokio::time::timeout(Duration::from_secs(10), async {
            let checked = connector.check().await.map(|_| ());
            let opened = match connector.connect().await {
                Err(error) => Err(error),
                // Some protocols speak first with the first page.
                Ok(mut session) => match offered(connector.as_ref())
                    .ok()
                    .and_then(|o| o.first().map(|c| c.kind))
                {
                    None => Ok(()),
                    Some(kind) => session.read_page(kind, ask(None, 1)).await.map(|_| ()),
                },
            };
            [checked, opened]
        })
        .await
        .map_err(|_| Why::Failed(format!("{}: taken, or waited for without end", bad.word())))?;
        for answer in answers {
            let Err(error) = answer else {
                return Err(Why::Failed(format!("{}: taken", bad.word())));
            };
            ensure!(
                !bad.is_certificate() || error.kind == ErrorKind::TlsUntrusted,
                "{}: {:?}: {error}",
                bad.word(),
                error.kind
            );
            ensure!(
                !matches!(
                    error.kind,
                    ErrorKind::Bug | ErrorKind::AuthRejected | ErrorKind::RateLimited
                ),
                "{}: {:?}: {error}",
                bad.word(),
                error.kind
            );
        }
        ensure!(server.connections() > 0, "{}: nobody came", bad.word());
        ensure!(
            // what a client may still say is an alert: seven bytes in clear, a few more sealed
            server.bytes_after_handshake() <= 40 * server.connections(),
            "{}: {} bytes were sent on {} connections",
            bad.word(),
            server.bytes_after_handshake(),
            server.connections()
        );
    }
    Ok(())
}

pub(crate) async fn secret_never_shown(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    if seeded.secrets.is_empty() {
        return Err(Why::NotApplicable(
            "it is given no secret, and its system holds none".to_owned(),
        ));
    }
    let connector = seeded.connector.as_ref();
    let mut shown = vec![
        format!("{:?}", connector.check().await),
        format!("{:?}", connector.capabilities()),
    ];
    let mut session = connector.connect().await?;
    for capability in offered(connector)? {
        let pages = pages(session.as_mut(), capability.kind, 3).await?;
        shown.push(format!("{pages:?}"));
        shown.push(format!("{:?}", set(&records(&pages))));
    }
    let odd = session
        .read_page(
            offered(connector)?
                .first()
                .map(|c| c.kind)
                .unwrap_or(lastkey_contract::Kind::Account),
            ask(Some(lastkey_contract::Cursor("x".to_owned())), 1),
        )
        .await;
    shown.push(format!("{odd:?}"));
    // Nothing is taken out by the engine: the connector itself must not tell.
    let ran = sync_once(connector, &once()).await?;
    shown.push(format!("{ran:?}"));
    if let Network::Http(upstream) = subject.network() {
        let authority = Authority::new("Conformance CA")?;
        let proxy = HttpProxy::start(upstream, &authority)?;
        let through = subject.through(proxy.address(), Trust::Pem(authority.pem()));
        sync_once(through.as_ref(), &once()).await?;
        // In an address a secret ends up in logs of proxies and servers.
        shown.extend(proxy.records().into_iter().map(|record| record.path));
    }
    for text in &shown {
        for secret in &seeded.secrets {
            ensure!(
                !text.contains(secret.as_str()),
                "a secret was shown, in: {}",
                text.replace(secret.as_str(), "(the secret)")
                    .chars()
                    .take(400)
                    .collect::<String>()
            );
        }
    }
    Ok(())
}

pub(crate) async fn no_writes(subject: &dyn Subject) -> Verdict {
    let seeded = subject.scene(Scene::Seeded).here()?;
    let Some(writes) = &seeded.writes else {
        return Err(Why::NotApplicable("its system keeps no log".to_owned()));
    };
    let before = writes().len();
    seeded.connector.check().await?;
    let ran = sync_once(seeded.connector.as_ref(), &once()).await?;
    ensure!(ran.complete(), "a whole sync ended {}", ran.report.state);
    let now = writes();
    ensure!(
        now.len() == before,
        "the log tells of writes: {:?}",
        now.get(before..)
    );
    Ok(())
}
