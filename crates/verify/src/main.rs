//! The program `lastkey-verify`: is this package what its signer made?
//!
//! Exit status: 0 intact and by the signer asked for; 1 anything less; 2 wrong use;
//! 3 a file cannot be read.

use lastkey_verify::{
    Fingerprint, PackageState, VerifyOptions, VerifyReport, verify_package, visible,
};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "lastkey-verify PACKAGE.zip [--signer FINGERPRINT] [--extends OLD.zip] [--json]

Says whether an audit package is what its signer made, and if not, what is wrong where.

  --signer FINGERPRINT  who should have signed it (64 hex digits; colons allowed).
                        Without it the best answer is `intact, signer unknown`, status 1.
  --extends OLD.zip     the package that this one should continue
  --json                the answer as one JSON document

Status: 0 intact and signed by FINGERPRINT; 1 anything less; 2 wrong use; 3 cannot be read.
";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Text,
    Json,
}

struct Call {
    package: PathBuf,
    options: VerifyOptions,
    output: Output,
}

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let (text, status, to_err) = answer(std::env::args_os().skip(1).collect());
    let written = match to_err {
        Some(message) => writeln!(err, "lastkey-verify: {message}"),
        None => write!(out, "{text}").and_then(|()| out.flush()),
    };
    // an answer that nobody could read is no answer
    match written {
        Ok(()) => ExitCode::from(status),
        Err(_) => ExitCode::from(3),
    }
}

/// Text for stdout, the status, and the message for stderr instead of the text.
fn answer(args: Vec<OsString>) -> (String, u8, Option<String>) {
    if args.iter().any(|a| a == "--help" || a == "-h") {
        return (USAGE.to_owned(), 0, None);
    }
    if args.iter().any(|a| a == "--version") {
        return (
            format!("lastkey-verify {}\n", env!("CARGO_PKG_VERSION")),
            0,
            None,
        );
    }
    let call = match parse(args) {
        Ok(call) => call,
        Err(message) => {
            return (
                String::new(),
                2,
                Some(format!("{message} (see lastkey-verify --help)")),
            );
        }
    };
    let report = match verify_package(&call.package, &call.options) {
        Ok(report) => report,
        Err(error) => return (String::new(), 3, Some(visible(&error.to_string()))),
    };
    let status = match report.state {
        PackageState::Intact => 0,
        PackageState::IntactSignerUnknown | PackageState::Broken => 1,
    };
    match call.output {
        Output::Text => (text(&report), status, None),
        Output::Json => match serde_json::to_string_pretty(&report) {
            Ok(json) => (json + "\n", status, None),
            Err(error) => (String::new(), 3, Some(error.to_string())),
        },
    }
}

fn parse(args: Vec<OsString>) -> Result<Call, String> {
    let mut package = None;
    let mut options = VerifyOptions::default();
    let mut output = Output::Text;
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let shown = visible(&arg.to_string_lossy());
        let mut value = || {
            rest.next()
                .ok_or_else(|| format!("`{shown}` needs a value"))
        };
        match arg.to_str() {
            Some("--json") => output = Output::Json,
            Some("--signer") => {
                let text = value()?.to_string_lossy().into_owned();
                options.signer = Some(text.parse::<Fingerprint>().map_err(|e| e.to_string())?);
            }
            Some("--extends") => options.extends = Some(PathBuf::from(value()?)),
            Some(option) if option.starts_with('-') && option.len() > 1 => {
                return Err(format!("`{shown}` is not an option"));
            }
            Some(_) | None if package.is_none() => package = Some(PathBuf::from(arg)),
            Some(_) | None => return Err(format!("`{shown}` is one package too many")),
        }
    }
    Ok(Call {
        package: package.ok_or("which package?")?,
        options,
        output,
    })
}

fn text(report: &VerifyReport) -> String {
    let mut lines = vec![report.state.words().to_owned()];
    if let Some(signer) = &report.signer {
        lines.push(format!("signed by  {signer}"));
    }
    if let Some(id) = &report.package_id {
        lines.push(format!("package    {id}"));
    }
    if let Some(at) = &report.made_at {
        lines.push(format!("made at    {at} (the signer's clock)"));
    }
    lines.push(format!("files      {}", report.files));
    for problem in &report.problems {
        let file = problem.file.as_deref().unwrap_or("the archive");
        lines.push(format!("problem    {file}: {}", problem.message));
    }
    if report.state == PackageState::IntactSignerUnknown {
        lines.push("hint       ask the signer for their fingerprint over another channel, and give it with --signer".to_owned());
    }
    lines.join("\n") + "\n"
}
