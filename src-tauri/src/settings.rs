//! What a person chose for the window: theme, size, drawing. A small JSON file, no secrets.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use ts_rs::TS;

/// The choices. A value nobody knows counts as the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct UiSettings {
    /// `system`, `light`, `dark`, `contrast`, `contrast-light`.
    pub theme: String,
    /// Percent, 80 to 200.
    pub zoom: u32,
    /// Whether single letters are keys.
    pub letter_keys: bool,
    /// `auto`, `cpu`, `gpu`; takes effect at the next start.
    pub rendering: String,
    /// Minutes without a key or a click after which the window locks; 0 is never.
    pub lock_after_minutes: u32,
    /// How the window draws now. Told, not chosen.
    pub rendering_now: String,
}

impl Default for UiSettings {
    fn default() -> Self {
        Self {
            theme: "system".to_owned(),
            zoom: 100,
            letter_keys: true,
            rendering: "auto".to_owned(),
            lock_after_minutes: 15,
            rendering_now: crate::rendering::in_words().to_owned(),
        }
    }
}

impl UiSettings {
    /// The saved choices; the defaults where there are none or they cannot be read.
    pub fn load() -> Self {
        let saved = file()
            .and_then(|path| std::fs::read_to_string(path).ok())
            .and_then(|text| serde_json::from_str::<UiSettings>(&text).ok())
            .unwrap_or_default();
        Self {
            zoom: saved.zoom.clamp(80, 200),
            lock_after_minutes: saved.lock_after_minutes.min(24 * 60),
            rendering_now: crate::rendering::in_words().to_owned(),
            ..saved
        }
    }

    /// Saves the choices, with what failed in one sentence.
    pub fn save(&self) -> Result<(), String> {
        let path = file().ok_or("this system names no folder for settings")?;
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
    }
}

fn file() -> Option<PathBuf> {
    lastkey_workbench::settings_folder().map(|folder| folder.join("window.json"))
}
