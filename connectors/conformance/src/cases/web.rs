//! HTTP servers that lie, that are busy, and that talk without end.

use super::ground::*;
use crate::memory;
use crate::outcome::{Verdict, Why, ensure};
use crate::proxy::{Authority, Garbage, HttpFault, HttpProxy, RedirectTo, RetryAfter, Rule};
use crate::subject::{Subject, Trust};
use lastkey_contract::{Connector, ErrorKind};
use lastkey_engine::collect::SyncSettings;
use std::time::{Duration, Instant};

struct Web {
    proxy: HttpProxy,
    connector: Box<dyn Connector>,
    /// How many requests an undisturbed sync makes.
    requests: u32,
}

async fn web(subject: &dyn Subject) -> Result<Web, Why> {
    let authority = Authority::new("Conformance CA")?;
    let proxy = HttpProxy::start(subject.network().web()?, &authority)?;
    let connector = subject.through(proxy.address(), Trust::Pem(authority.pem()));
    let ran = sync_once(connector.as_ref(), &once()).await?;
    ensure!(
        ran.complete(),
        "undisturbed it ended {}: {}",
        ran.report.state,
        ran.told()
    );
    let requests = u32::try_from(proxy.requests()).unwrap_or(u32::MAX);
    proxy.forget();
    Ok(Web {
        proxy,
        connector,
        requests,
    })
}

pub(crate) async fn rate_limit(subject: &dyn Subject) -> Verdict {
    let web = web(subject).await?;
    let late = web.requests.saturating_sub(1) / 2;
    for (after, at_least) in [
        (RetryAfter::Seconds(1), Duration::from_millis(990)),
        // a date has whole seconds, so that up to one is lost
        (RetryAfter::Date(2), Duration::from_millis(900)),
        (RetryAfter::Missing, Duration::ZERO),
        (RetryAfter::Odd("soon".to_owned()), Duration::ZERO),
    ] {
        web.proxy.forget();
        web.proxy
            .set([Rule::always(HttpFault::TooMany(after.clone()))
                .after(late)
                .times(1)]);
        let ran = sync_once(web.connector.as_ref(), &tries(3)).await?;
        ensure!(
            ran.complete() && ran.lines("retry") == 1,
            "{after:?}: tried again {} times, ended {}: {}",
            ran.lines("retry"),
            ran.report.state,
            ran.told()
        );
        let records = web.proxy.records();
        let limited = records.iter().position(|record| record.status == Some(429));
        let waited = limited.and_then(|at| {
            let (first, next) = (records.get(at)?, records.get(at + 1)?);
            next.after.checked_sub(first.after)
        });
        ensure!(
            waited.is_some_and(|waited| waited >= at_least),
            "{after:?}: the next request came after {waited:?}"
        );
        web.proxy
            .set([Rule::always(HttpFault::TooMany(after.clone())).after(late)]);
        let ran = sync_once(web.connector.as_ref(), &once()).await?;
        ensure!(
            !ran.complete(),
            "{after:?}: a limit without an end was passed over"
        );
    }
    Ok(())
}

/// A sync under a fault that must end, soon, and not complete.
async fn refused(web: &Web, fault: HttpFault, what: &str) -> Verdict {
    for late in [0, web.requests.saturating_sub(1) / 2] {
        web.proxy.set([Rule::always(fault.clone()).after(late)]);
        let settings = SyncSettings {
            request_timeout: Duration::from_secs(5),
            ..once()
        };
        let begun = Instant::now();
        let ran = sync_once(web.connector.as_ref(), &settings).await?;
        ensure!(
            !ran.complete() && !ran.told().is_empty(),
            "{what}, after {late} requests: the read ended {}",
            ran.report.state
        );
        ensure!(
            begun.elapsed() < Duration::from_secs(20),
            "{what}: it took {:?}",
            begun.elapsed()
        );
    }
    Ok(())
}

pub(crate) async fn evil_links(subject: &dyn Subject) -> Verdict {
    let web = web(subject).await?;
    for to in [
        RedirectTo::OtherHost,
        RedirectTo::InClear,
        RedirectTo::Itself,
    ] {
        refused(
            &web,
            HttpFault::Redirect(to),
            &format!("a redirect to {to:?}"),
        )
        .await?;
    }
    // Links in bodies and headers: whatever names the proxy's own address names another.
    let here = web.proxy.url();
    for with in [
        "{other}",
        "{clear}",
        "https://127.0.0.1.evil.example",
        "file:///etc",
    ] {
        web.proxy.set([Rule::always(HttpFault::Replace {
            find: here.clone(),
            with: with.to_owned(),
        })]);
        let pages_of_two = SyncSettings {
            page_limit: 2,
            ..once()
        };
        // Where no links are used this is complete; what counts is where the requests go.
        sync_once(web.connector.as_ref(), &pages_of_two).await?;
        let header = HttpFault::Header {
            name: "link".to_owned(),
            value: format!("<{with}/v1/x>; rel=\"next\""),
        };
        web.proxy.set([Rule::always(header)]);
        sync_once(web.connector.as_ref(), &once()).await?;
    }
    let strays = web.proxy.strays();
    ensure!(
        strays.is_empty(),
        "{} requests went elsewhere, the first to {:?}",
        strays.len(),
        strays
            .first()
            .map(|stray| (stray.place, stray.path.clone()))
    );
    Ok(())
}

/// A bomb may not make more memory be used than this.
const MOST: usize = 200 * 1024 * 1024;

/// Ends when much more memory is in use than at first.
async fn swollen() {
    let start = memory::in_use();
    while memory::in_use() < start + MOST {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn bombs(subject: &dyn Subject) -> Verdict {
    let web = web(subject).await?;
    for (fault, what) in [
        (HttpFault::Bomb, "a decompression bomb"),
        (HttpFault::Endless, "an endless body"),
    ] {
        tokio::select! {
            ended = refused(&web, fault, what) => ended?,
            () = swollen() => ensure!(false, "{what}: more than {MOST} bytes were taken"),
        }
    }
    Ok(())
}

pub(crate) async fn garbage(subject: &dyn Subject) -> Verdict {
    let web = web(subject).await?;
    for garbage in [
        Garbage::Html,
        Garbage::CutJson,
        Garbage::Bytes,
        Garbage::OtherShape,
        Garbage::Nested,
        Garbage::Empty,
    ] {
        refused(&web, HttpFault::Garbage(garbage), &format!("{garbage:?}")).await?;
        web.proxy.set([Rule::always(HttpFault::Garbage(garbage))]);
        let Err(error) = web.connector.check().await else {
            return Err(Why::Failed(format!(
                "{garbage:?}: a check found nothing wrong"
            )));
        };
        ensure!(
            error.kind == ErrorKind::Protocol,
            "{garbage:?}: {:?}: {error}",
            error.kind
        );
    }
    for fault in [
        HttpFault::TooLong,
        HttpFault::TooShort,
        HttpFault::CutAfter(10),
    ] {
        refused(&web, fault.clone(), &format!("{fault:?}")).await?;
    }
    Ok(())
}
