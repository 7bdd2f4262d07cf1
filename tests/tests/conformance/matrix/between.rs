//! Something that happens to a system in the middle of a read: after its first page of accounts.

use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Page, PageRequest,
    Session,
};
use std::sync::{Arc, Mutex};

type Act = Box<dyn FnOnce() + Send>;

struct Between {
    inner: Box<dyn Connector>,
    act: Arc<Mutex<Option<Act>>>,
}
struct BetweenPages {
    inner: Box<dyn Session>,
    act: Arc<Mutex<Option<Act>>>,
}

/// The connector, with something that is done once between its first page of accounts and the
/// second.
pub fn between(
    inner: Box<dyn Connector>,
    act: impl FnOnce() + Send + 'static,
) -> Box<dyn Connector> {
    Box::new(Between {
        inner,
        act: Arc::new(Mutex::new(Some(Box::new(act)))),
    })
}

#[async_trait]
impl Connector for Between {
    fn descriptor(&self) -> &'static Descriptor {
        self.inner.descriptor()
    }
    fn capabilities(&self) -> Vec<KindCapability> {
        self.inner.capabilities()
    }
    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        self.inner.check().await
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(BetweenPages {
            inner: self.inner.connect().await?,
            act: Arc::clone(&self.act),
        }))
    }
}

#[async_trait]
impl Session for BetweenPages {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let page = self.inner.read_page(kind, request).await?;
        if kind == Kind::Account
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
        Ok(page)
    }
}
