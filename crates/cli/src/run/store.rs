//! `store check`, `backup`, `restore`, `rekey`, `recover`, `recovery-key`.

use super::{open, options};
use crate::args::{Global, Store};
use crate::output::Output;
use lastkey_workbench::{
    Failure, KeepIn, KeySource, Passphrase, Rekeyed, WhenMissing, recover, rekey, restore,
};
use std::process::ExitCode;

pub async fn store(global: &Global, store: Store, out: &Output) -> Result<ExitCode, Failure> {
    match store {
        Store::Check => check(global, out).await,
        Store::Backup { to } => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let made = bench.backup(&to).await?;
            tell(out, &made, || {
                vec![
                    format!(
                        "{}: {} bytes, with its .keys file and {} sealed",
                        made.path,
                        super::counted(made.bytes),
                        secrets(made.secrets)
                    ),
                    "it opens with the key or the recovery key of today".to_owned(),
                ]
            })
        }
        Store::Restore {
            backup,
            recovery_key,
        } => {
            let options = options(global, WhenMissing::Refuse)?;
            let open_with = match recovery_key {
                Some(path) => KeySource::KeyFile(path),
                None => options.key_source.clone(),
            };
            let kept_in = restore(
                &backup,
                &options.store_path,
                &open_with,
                &options.key_source,
            )
            .await?;
            let path = options.store_path.display().to_string();
            let answer = serde_json::json!({ "path": path, "key_kept_in": kept_in });
            tell(out, &answer, || {
                vec![format!("restored to {path}; its key is kept in: {kept_in}")]
            })
        }
        Store::Rekey {
            to_keychain,
            new_key_file,
            new_passphrase_file,
        } => {
            let options = options(global, WhenMissing::Refuse)?;
            let keep_in = match (new_key_file, new_passphrase_file) {
                (Some(path), _) => KeepIn::Elsewhere(KeySource::KeyFile(path)),
                (None, Some(path)) => KeepIn::Elsewhere(KeySource::KeychainAndPassphrase(
                    Passphrase::from_file(&path)?,
                )),
                (None, None) if to_keychain => KeepIn::Elsewhere(KeySource::Keychain),
                (None, None) => KeepIn::SamePlace,
            };
            rekeyed(&rekey(&options, &keep_in).await?, out)
        }
        Store::Recover { recovery_key } => {
            let options = options(global, WhenMissing::Refuse)?;
            let kept_in = recover(&options, &KeySource::KeyFile(recovery_key)).await?;
            let answer = serde_json::json!({ "key_kept_in": kept_in });
            tell(out, &answer, || {
                vec![
                    format!("the key of the store is kept again in: {kept_in}"),
                    "if somebody else may have the old key, change it: lastkey store rekey"
                        .to_owned(),
                ]
            })
        }
        Store::RecoveryKey => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let text = bench.new_recovery_key().await?;
            show_recovery_key(&text, out)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn tell(
    out: &Output,
    answer: &impl serde::Serialize,
    lines: impl FnOnce() -> Vec<String>,
) -> Result<ExitCode, Failure> {
    if out.json {
        out.document(answer)?;
    } else {
        lines().iter().try_for_each(|line| out.line(line))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rekeyed(done: &Rekeyed, out: &Output) -> Result<ExitCode, Failure> {
    let answer = serde_json::json!({
        "old_key_id": done.old_key_id, "new_key_id": done.new_key_id,
        "key_kept_in": done.kept_in, "resealed": done.resealed,
    });
    tell(out, &answer, || {
        vec![
            format!(
                "new keys: {} instead of {}, kept in: {}; {} sealed anew",
                done.new_key_id,
                done.old_key_id,
                done.kept_in,
                secrets(done.resealed)
            ),
            format!(
                "fingerprints made with {} compare with no new ones: sync the sources that have them",
                done.old_key_id
            ),
            "backups made before open with the old key or the old recovery key only".to_owned(),
        ]
    })?;
    show_recovery_key(&done.recovery_key, out)?;
    Ok(ExitCode::SUCCESS)
}

fn secrets(count: usize) -> String {
    if count == 1 {
        "1 secret".to_owned()
    } else {
        format!("{count} secrets")
    }
}

/// On stderr, as when the store was made: it belongs into no file that stdout is led to.
fn show_recovery_key(text: &str, out: &Output) -> Result<(), Failure> {
    out.important(
        "The new recovery key, shown this once; keep it apart from this machine. The one before opens the store no more:",
    );
    out.important(format!("  {text}"));
    Ok(())
}

async fn check(global: &Global, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let check = bench.check().await?;
    if out.json {
        out.document(&check)?;
    } else {
        if check.problems.is_empty() {
            out.line("the store is whole: every page, every total, and the log's chain")?;
        }
        for problem in &check.problems {
            out.line(problem)?;
        }
        out.line(format!("encrypted with  {}", check.encrypted_with))?;
        out.line(format!(
            "key             {} ({})",
            check.key_kept_in, check.key_id
        ))?;
        if let Some(says) = &check.keychain_says {
            out.line(format!("keychain        {says}"))?;
        }
        out.line(format!(
            "recovery key    {}",
            match &check.recovery_key_made_at {
                Some(at) => format!("made {at}"),
                None => "none".to_owned(),
            }
        ))?;
        out.line(format!("in the keychain {}", named(&check.in_keychain)))?;
        out.line(format!("in .sealed      {}", named(&check.sealed)))?;
        for remark in &check.remarks {
            out.line(format!("note: {remark}"))?;
        }
    }
    Ok(if check.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    })
}

fn named(names: &[String]) -> String {
    if names.is_empty() {
        "no secret".to_owned()
    } else {
        names.join(", ")
    }
}
