//! Networks that break: each fault leaves a read incomplete and says so, or is survived.

use super::ground::*;
use crate::outcome::{Verdict, Why, ensure};
use crate::proxy::{Authority, HttpFault, HttpProxy, Rule, TcpFault, TcpProxy};
use crate::subject::{Network, Scene, Subject, Trust};
use lastkey_contract::ErrorKind;
use lastkey_engine::collect::SyncSettings;
use std::time::{Duration, Instant};
use tokio::sync::watch;

fn proxy(subject: &dyn Subject) -> Result<TcpProxy, Why> {
    Ok(TcpProxy::start(subject.network().address()?)?)
}

pub(crate) async fn stops_within_a_second(subject: &dyn Subject) -> Verdict {
    match subject.network().address() {
        Ok(address) => {
            let proxy = TcpProxy::start(address)?;
            for fault in [TcpFault::Hang, TcpFault::SilentAfter(3_000)] {
                proxy.set(fault);
                let connector = subject.through(proxy.address(), Trust::Server);
                let settings = SyncSettings {
                    request_timeout: Duration::from_secs(60),
                    ..once()
                };
                stopped(connector.as_ref(), &settings).await?;
            }
            Ok(())
        }
        Err(_no_network) => {
            let scene = Scene::Large {
                records: 5_000,
                bytes: 2_000,
            };
            let large = subject.scene(scene).here()?;
            let settings = SyncSettings {
                page_limit: 1,
                ..once()
            };
            stopped(large.connector.as_ref(), &settings).await
        }
    }
}

async fn stopped(connector: &dyn lastkey_contract::Connector, settings: &SyncSettings) -> Verdict {
    let ground = Ground::new().await?;
    let (stop, cancel) = watch::channel(false);
    let reading = ground.sync_until(connector, settings, cancel);
    // Counted from the moment for which it is set: a reader that blocks its thread also keeps
    // the word to stop from being said.
    let told = Instant::now() + Duration::from_millis(500);
    let stopping = async {
        tokio::time::sleep_until(told.into()).await;
        stop.send_replace(true);
    };
    let (ran, ()) = tokio::join!(reading, stopping);
    let (ran, took) = (ran?, told.elapsed());
    ensure!(
        ran.report.state == "cancelled",
        "the read was told to stop and ended {}: {}",
        ran.report.state,
        ran.told()
    );
    ensure!(took < Duration::from_secs(1), "it took {took:?} to stop");
    Ok(())
}

pub(crate) async fn error_burst(subject: &dyn Subject) -> Verdict {
    if let Network::Http(upstream) = subject.network() {
        let authority = Authority::new("Conformance CA")?;
        let proxy = HttpProxy::start(upstream, &authority)?;
        let connector = subject.through(proxy.address(), Trust::Pem(authority.pem()));
        sync_once(connector.as_ref(), &once()).await?;
        let requests = u32::try_from(proxy.requests()).unwrap_or(u32::MAX);
        for status in [500, 502, 503] {
            let late = requests.saturating_sub(1) / 2;
            proxy.set([Rule::always(HttpFault::Status(status)).after(late).times(2)]);
            let ran = sync_once(connector.as_ref(), &tries(4)).await?;
            ensure!(
                ran.complete() && ran.lines("retry") == 2,
                "two answers {status} were tried again {} times, and the read ended {}: {}",
                ran.lines("retry"),
                ran.report.state,
                ran.told()
            );
            proxy.set([Rule::always(HttpFault::Status(status)).after(late).times(1)]);
            let ran = sync_once(connector.as_ref(), &once()).await?;
            ensure!(!ran.complete(), "an answer {status} was passed over");
        }
    }
    let proxy = proxy(subject)?;
    let connector = subject.through(proxy.address(), Trust::Server);
    proxy.set(TcpFault::Refuse);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let Err(error) = connector.check().await else {
        return Err(Why::Failed("a refused connection was checked".to_owned()));
    };
    ensure!(
        error.kind == ErrorKind::Unavailable && error.hint.is_some(),
        "a refused connection is {:?}: {error}",
        error.kind
    );
    let ran = sync_once(connector.as_ref(), &once()).await?;
    ensure!(
        ran.report.state == "failed",
        "without a server it ended {}",
        ran.report.state
    );
    let healing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.set(TcpFault::None);
    };
    let settings = SyncSettings {
        first_wait: Duration::from_millis(200),
        ..tries(6)
    };
    let (ran, ()) = tokio::join!(sync_once(connector.as_ref(), &settings), healing);
    let ran = ran?;
    ensure!(
        ran.complete() && ran.lines("retry") > 0,
        "a server that came back was read {}: {}",
        ran.report.state,
        ran.told()
    );
    Ok(())
}

/// Breaks off at places all over a read.
async fn sweep(subject: &dyn Subject, fault: fn(u64) -> TcpFault) -> Verdict {
    let proxy = proxy(subject)?;
    let connector = subject.through(proxy.address(), Trust::Server);
    let ran = sync_once(connector.as_ref(), &once()).await?;
    ensure!(
        ran.complete(),
        "undisturbed it ended {}: {}",
        ran.report.state,
        ran.told()
    );
    // The longest answer of one connection is not more than all bytes of all connections.
    let bytes = proxy.bytes();
    let mut struck = 0;
    for step in 0..10 {
        let before = proxy.struck();
        proxy.set(fault(bytes * step / 10));
        let ran = sync_once(connector.as_ref(), &once()).await?;
        let told = ran.told();
        if proxy.struck() == before {
            ensure!(
                ran.complete(),
                "nothing broke, and it ended {}: {told}",
                ran.report.state
            );
            continue;
        }
        struck += 1;
        ensure!(
            ran.report.state == "failed" && !told.is_empty(),
            "cut after {} bytes it ended {}: {told}",
            bytes * step / 10,
            ran.report.state
        );
        ensure!(
            ran.report.totals.removed == 0,
            "cut after {} bytes it removed something",
            bytes * step / 10
        );
    }
    ensure!(struck >= 3, "the fault struck only {struck} times");
    proxy.set(TcpFault::None);
    let ran = sync_once(connector.as_ref(), &once()).await?;
    ensure!(
        ran.complete(),
        "afterwards it ended {}: {}",
        ran.report.state,
        ran.told()
    );
    Ok(())
}

pub(crate) async fn reset_mid_page(subject: &dyn Subject) -> Verdict {
    sweep(subject, TcpFault::ResetAfter).await
}

pub(crate) async fn truncated(subject: &dyn Subject) -> Verdict {
    sweep(subject, TcpFault::CloseAfter).await
}

pub(crate) async fn slow_bytes(subject: &dyn Subject) -> Verdict {
    let proxy = proxy(subject)?;
    let seeded = subject.scene(Scene::Seeded).here()?;
    let connector = subject.through(proxy.address(), Trust::Server);
    proxy.set(TcpFault::Slow {
        bytes: 1_000,
        every: Duration::from_millis(2),
    });
    let got = everything(connector.as_ref(), 100).await?;
    all_same("the slow set", &got, &seeded.expected)?;
    proxy.set(TcpFault::Latency(Duration::from_millis(20)));
    let got = everything(connector.as_ref(), 100).await?;
    all_same("the late set", &got, &seeded.expected)
}

pub(crate) async fn no_own_retry(subject: &dyn Subject) -> Verdict {
    if let Network::Http(upstream) = subject.network() {
        let authority = Authority::new("Conformance CA")?;
        let proxy = HttpProxy::start(upstream, &authority)?;
        let connector = subject.through(proxy.address(), Trust::Pem(authority.pem()));
        let Some(first) = offered(connector.as_ref())?.into_iter().next() else {
            return Ok(());
        };
        for status in [429, 500, 503] {
            proxy.clear();
            let mut session = connector.connect().await?;
            proxy.forget();
            proxy.set([Rule::always(HttpFault::Status(status))]);
            let answer = session.read_page(first.kind, ask(None, 2)).await;
            ensure!(answer.is_err(), "an answer {status} became a page");
            ensure!(
                proxy.requests() == 1,
                "after an answer {status} there were {} requests",
                proxy.requests()
            );
        }
    }
    let proxy = proxy(subject)?;
    let connector = subject.through(proxy.address(), Trust::Server);
    proxy.set(TcpFault::CloseAfter(0));
    let before = proxy.connections();
    ensure!(
        connector.connect().await.is_err() || connector.check().await.is_err(),
        "no connection stood, and it was taken"
    );
    let tried = proxy.connections() - before;
    ensure!(
        tried <= 2,
        "a connection that is closed was tried {tried} times"
    );
    Ok(())
}
