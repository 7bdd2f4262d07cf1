//! Asking whoever sits at the terminal for something that nobody may see.

use lastkey_workbench::Failure;

/// One line, typed unseen; None where nobody sits there, so that scripts never wait.
#[cfg(unix)]
pub fn unseen(question: &str) -> Result<Option<String>, Failure> {
    use std::io::{BufRead, IsTerminal, Write};
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    if !(stdin.is_terminal() && stderr.is_terminal()) {
        return Ok(None);
    }
    let failed = |error: std::io::Error| {
        Failure::not_possible(format!("the terminal gives no passphrase: {error}"))
            .hint("give it with --passphrase-file FILE")
    };
    // First the terminal stops showing what is typed, then it is asked for.
    let quiet = Quiet::begin().map_err(|error| failed(error.into()))?;
    write!(stderr.lock(), "{question}").map_err(failed)?;
    let mut typed = zeroize::Zeroizing::new(String::with_capacity(1024));
    let read = stdin.lock().read_line(&mut typed).map_err(failed);
    drop(quiet);
    // The line break was not shown either.
    let _closed = writeln!(stderr.lock());
    read?;
    Ok(Some(typed.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Elsewhere a passphrase comes from a file.
#[cfg(not(unix))]
pub fn unseen(_question: &str) -> Result<Option<String>, Failure> {
    Ok(None)
}

/// While it lives, the terminal does not show what is typed.
#[cfg(unix)]
struct Quiet(rustix::termios::Termios);

#[cfg(unix)]
impl Quiet {
    fn begin() -> rustix::io::Result<Quiet> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Quiet(before))
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _closed = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
