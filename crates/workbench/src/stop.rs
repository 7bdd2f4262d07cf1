//! A way to stop what is running: asked for once, heard everywhere.

use tokio::sync::watch;

/// Clones share one wish to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks for the stop; asking twice is fine.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked for.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// The hearing end, for the engine.
    pub fn listen(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
