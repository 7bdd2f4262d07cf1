//! Where things are kept when nobody says otherwise.

use std::path::PathBuf;

/// The user's data folder for Lastkey; None where the system names none.
pub fn data_folder() -> Option<PathBuf> {
    folder(
        "XDG_DATA_HOME",
        ".local/share",
        "APPDATA",
        "Library/Application Support",
    )
}

/// The user's settings folder for Lastkey; it never holds a secret.
pub fn settings_folder() -> Option<PathBuf> {
    folder(
        "XDG_CONFIG_HOME",
        ".config",
        "APPDATA",
        "Library/Application Support",
    )
}

/// The store of somebody who names none.
pub fn default_store_path() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("store.lastkey"))
}

fn folder(xdg: &str, below_home: &str, windows: &str, mac: &str) -> Option<PathBuf> {
    let named = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = if cfg!(windows) {
        named(windows)
    } else if cfg!(target_os = "macos") {
        named("HOME").map(|home| home.join(mac))
    } else {
        named(xdg).or_else(|| named("HOME").map(|home| home.join(below_home)))
    };
    base.map(|base| base.join("lastkey"))
}
