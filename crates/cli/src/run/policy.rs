//! `lastkey policy`: who should hold what.

use super::policy_diff::diff;
use super::{of_these, open};
use crate::args::Global;
use crate::output::Output;
use crate::policy_args::{Matrix, Policy, Show, Suggest};
use lastkey_engine::policy::{PolicyWord, SCHEMA};
use lastkey_engine::store::PolicyStanding;
use lastkey_workbench::{
    Failure, PolicyRemark, PolicyReview, PolicyView, SuggestionAsked, WhenMissing, check_policy,
    policy_of_matrix, policy_of_workbook,
};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub async fn policy(global: &Global, command: Policy, out: &Output) -> Result<ExitCode, Failure> {
    match command {
        Policy::Load { file, draft } => load(global, &file, standing(draft), out).await?,
        Policy::Activate => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            told(&bench.activate_policy().await?, out)?;
        }
        Policy::Show(args) => show(global, &args, out).await?,
        Policy::Check { file } => check(&file, out)?,
        Policy::Matrix(Matrix::Read { file }) => {
            text_or_json("policy", &matrix_policy(&file)?, out)?;
        }
        Policy::Matrix(Matrix::Write { draft, out: file }) => {
            let form = file.as_deref().map(TableForm::of).transpose()?;
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let standing = standing(draft);
            let bytes = match form {
                Some(TableForm::Workbook) => bench.matrix_workbook(standing).await?,
                Some(TableForm::Csv) | None => bench.matrix(standing).await?.into_bytes(),
            };
            match file {
                Some(file) => write_new(&file, &bytes)?,
                None => text_or_json("matrix", &String::from_utf8_lossy(&bytes), out)?,
            }
        }
        Policy::Diff { limit } => diff(global, limit, out).await?,
        Policy::Suggest(args) => suggest(global, args, out).await?,
        Policy::Schema => text_or_json("schema", SCHEMA, out)?,
        Policy::Carried { identity, draft } => {
            let asked = (identity.as_deref(), standing(draft));
            super::policy_carried::carried(global, asked, out).await?;
        }
        Policy::Who { identity, draft } => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let review = bench.review_by_policy(standing(draft), &identity).await?;
            if out.json {
                out.document(&review)?;
            } else {
                show_review(&review, out)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A text as it is, or as the one field of a document.
fn text_or_json(name: &str, text: &str, out: &Output) -> Result<(), Failure> {
    match out.json {
        true => out.document(&serde_json::json!({ name: text })),
        false => out.text(text),
    }
}

pub(super) fn standing(draft: bool) -> PolicyStanding {
    match draft {
        true => PolicyStanding::Draft,
        false => PolicyStanding::Active,
    }
}

/// The text of a policy file and what is strange about it; a mistake names the file too.
fn read(file: &Path) -> Result<(String, u64, Vec<PolicyRemark>), Failure> {
    let text = read_text(file)?;
    let (rules, remarks) = check_policy(&text).map_err(|failure| of_file(file, failure))?;
    Ok((text, rules, remarks))
}

fn read_text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| unread(file, &error))
}

/// What a table is kept as, by the ending of its file.
enum TableForm {
    Csv,
    Workbook,
}

impl TableForm {
    /// By the ending; what is nearly a workbook is refused, everything else is CSV.
    fn of(file: &Path) -> Result<TableForm, Failure> {
        let ending = file.extension().unwrap_or_default().to_string_lossy();
        match ending.to_lowercase().as_str() {
            "xlsx" => Ok(TableForm::Workbook),
            other @ ("xls" | "xlsm" | "xlsb" | "ods" | "numbers") => {
                Err(Failure::bad_input(format!(
                    "a matrix is CSV or XLSX, and `{}` is {other}",
                    file.display()
                ))
                .hint("save it as XLSX or CSV"))
            }
            _ => Ok(TableForm::Csv),
        }
    }
}

fn matrix_policy(file: &Path) -> Result<String, Failure> {
    let policy = match TableForm::of(file)? {
        TableForm::Csv => policy_of_matrix(&read_text(file)?),
        TableForm::Workbook => {
            let bytes = std::fs::read(file).map_err(|error| unread(file, &error))?;
            policy_of_workbook(&bytes)
        }
    };
    policy.map_err(|failure| of_file(file, failure))
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let new = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file);
    let written = new.and_then(|mut new| new.write_all(bytes));
    written.map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", file.display()))
            .hint("name a file that is not there yet")
    })
}

fn unread(file: &Path, error: &std::io::Error) -> Failure {
    Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
}

fn of_file(file: &Path, failure: Failure) -> Failure {
    Failure {
        message: format!("{}: {}", file.display(), failure.message),
        ..failure
    }
}

fn tell_remarks(file: &Path, remarks: &[PolicyRemark], out: &Output) {
    for remark in remarks {
        let hint = remark.hint.iter();
        let hint: String = hint.map(|hint| format!("; {hint}")).collect();
        let (line, column) = (remark.line, remark.column);
        out.important(format!(
            "remark: {}: line {line}, column {column}: {}{hint}",
            file.display(),
            remark.message
        ));
    }
}

async fn load(
    global: &Global,
    file: &Path,
    standing: PolicyStanding,
    out: &Output,
) -> Result<(), Failure> {
    // A policy with an error is refused before a store is opened.
    let (text, _, remarks) = read(file)?;
    let name = file
        .file_stem()
        .map_or_else(|| "policy".to_owned(), |n| n.to_string_lossy().into_owned());
    let bench = open(global, WhenMissing::Refuse, out).await?;
    told(&bench.load_policy(standing, &name, &text).await?, out)?;
    tell_remarks(file, &remarks, out);
    for name in bench.policy_names_unread(&text).await? {
        out.important(format!(
            "remark: the policy names `{name}`, which no source has read yet"
        ));
    }
    Ok(())
}

fn told(view: &PolicyView, out: &Output) -> Result<(), Failure> {
    if out.json {
        return out.document(view);
    }
    let rules = of_these(view.rules, "rule", "rules");
    out.line(match view.standing.as_str() {
        "draft" => format!("the policy `{}` is a draft: {rules}", view.name),
        _ => format!("the policy `{}` is active: {rules}", view.name),
    })?;
    if view.rules == 0 {
        out.important("the policy has no rules: it permits nothing, and speaks for no system");
    }
    Ok(())
}

async fn show(global: &Global, args: &Show, out: &Output) -> Result<(), Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    if args.history {
        return history(&bench, out).await;
    }
    let standing = standing(args.draft);
    match bench.policy_view(standing).await? {
        Some(view) if out.json => out.document(&view),
        Some(view) => out.text(&view.text),
        None => Err(match standing {
            PolicyStanding::Draft => Failure::not_possible("there is no draft of a policy")
                .hint("put one here with `lastkey policy load --draft FILE`"),
            PolicyStanding::Active => Failure::not_possible("no access policy is loaded")
                .hint("load one with `lastkey policy load FILE`"),
        }),
    }
}

/// How many are read at once.
const WINDOW: u32 = 200;

async fn history(bench: &lastkey_workbench::Workbench, out: &Output) -> Result<(), Failure> {
    let mut offset = 0;
    loop {
        let window = bench.policy_history(offset, WINDOW).await?;
        if window.is_empty() {
            return Ok(());
        }
        offset += u64::from(WINDOW);
        for view in window {
            if out.json {
                out.document(&view)?;
                continue;
            }
            let rules = of_these(view.rules, "rule", "rules");
            let hash: String = view.sha256.chars().take(12).collect();
            out.line(format!(
                "{}  {:6}  {} ({rules}, {hash}), put here by {}",
                view.at, view.standing, view.name, view.who
            ))?;
        }
    }
}

fn check(file: &Path, out: &Output) -> Result<(), Failure> {
    let (_, rules, remarks) = read(file)?;
    if out.json {
        return out.document(&serde_json::json!({"rules": rules, "remarks": remarks}));
    }
    let rules = of_these(rules, "rule", "rules");
    out.line(format!("{} can be used: {rules}", file.display()))?;
    tell_remarks(file, &remarks, out);
    Ok(())
}

async fn suggest(global: &Global, args: Suggest, out: &Output) -> Result<(), Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let Suggest {
        attributes,
        min_support,
        min_share,
    } = args;
    let asked = SuggestionAsked {
        attributes,
        min_support,
        min_share,
    };
    let suggestion = bench.suggest_policy(asked).await?;
    match out.json {
        true => out.document(&suggestion),
        false => out.text(&suggestion.text),
    }
}

fn show_review(review: &PolicyReview, out: &Output) -> Result<(), Failure> {
    let name = review.display_name.iter();
    let name: String = name.map(|name| format!(" ({name})")).collect();
    out.line(format!(
        "{}{name}, by the policy `{}`",
        review.identity, review.policy
    ))?;
    for line in &review.review.held {
        out.line(format!(
            "  holds {}:{} on {}: {}",
            line.system,
            line.id,
            line.accounts.join(", "),
            in_words(&line.policy)
        ))?;
    }
    for missing in &review.review.missing_grants {
        out.line(format!(
            "  lacks {}:{}: {}",
            missing.system,
            missing.id,
            in_words(&missing.policy)
        ))?;
    }
    let unknown = &review.review.unknown_for_birthrights;
    if !unknown.is_empty() {
        out.line(format!(
            "  more may be missing: nobody knows {}",
            unknown.join(", ")
        ))?;
    }
    if review.review.held.is_empty() && review.review.missing_grants.is_empty() {
        out.line("  holds nothing, and nothing is missing")?;
    }
    Ok(())
}

/// `not permitted`, `permitted by finance, if the unknown department of the identity does not matter`.
pub(super) fn in_words(word: &PolicyWord) -> String {
    let mut text = word.policy.replace('_', " ");
    if !word.because.is_empty() {
        text.push_str(&format!(" by {}", word.because.join(", ")));
    }
    if let Some(error) = &word.error {
        text.push_str(&format!(": {error}"));
    }
    if !word.unknown.is_empty() {
        text.push_str(&format!(
            " (assumed: nobody knows {})",
            word.unknown.join(", ")
        ));
    }
    text
}
