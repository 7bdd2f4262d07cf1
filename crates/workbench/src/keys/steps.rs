//! The boundaries between the steps of what must survive a kill.

/// Marks a boundary. A debug build ends itself here, as `kill -9` would, where a test asks for
/// it: `LASTKEY_DIES_AT=rekey-switched`. In a release build this is nothing.
#[cfg(all(debug_assertions, unix))]
pub(crate) fn step(name: &str) {
    if std::env::var_os("LASTKEY_DIES_AT").is_some_and(|wanted| wanted == name) {
        let _never_returns =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Marks a boundary; see the debug build.
#[cfg(not(all(debug_assertions, unix)))]
pub(crate) fn step(_name: &str) {}
