//! Which way of drawing suits this machine.
//!
//! Without a GPU, WebKitGTK draws three to six times quicker with its DMA-BUF renderer
//! off; with one it is the other way round (docs/desktop). So the shell looks for a
//! render node at start, and lets people override.

use crate::settings::UiSettings;

const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// How the window draws, in the words of the foot line.
pub fn in_words() -> &'static str {
    if std::env::var_os(SWITCH).is_some() {
        "drawn by CPU"
    } else {
        "drawn by GPU"
    }
}

/// Starts this program again with the switch set where that is the better way.
///
/// The environment must be right before the first thread starts, and changing one's own is
/// not safe: so the process replaces itself, once.
pub fn choose(settings: &UiSettings) {
    let by_cpu = match settings.rendering.as_str() {
        "cpu" => true,
        "gpu" => false,
        _ => !has_render_node(),
    };
    if by_cpu && std::env::var_os(SWITCH).is_none() {
        restart_with_switch();
    }
}

fn has_render_node() -> bool {
    cfg!(not(target_os = "linux"))
        || std::fs::read_dir("/dev/dri").is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
        })
}

#[cfg(target_os = "linux")]
fn restart_with_switch() {
    use std::os::unix::process::CommandExt;
    if let Ok(program) = std::env::current_exe() {
        // Only returns if it failed; then the window starts as it is.
        let _slower_but_right = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(SWITCH, "1")
            .exec();
    }
}

#[cfg(not(target_os = "linux"))]
fn restart_with_switch() {}
